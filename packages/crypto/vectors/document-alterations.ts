/**
 * Every way to change one field of a document into another well-formed one, and arbitrary values.
 *
 * @module
 */
import fc from "fast-check";
import type { Shape } from "./document-layouts.ts";
import { valueOf, type Value } from "./document-values.ts";

/** A whole value in which one field differs. */
export interface Altered {
  readonly field: string;
  readonly value: Value;
}

export function alterationsOf(shape: Shape, value: Value, field = ""): Altered[] {
  const to = (other: Value, what = ""): Altered => ({ field: `${field}${what}`, value: other });
  switch (shape.kind) {
    case "bytes":
      return [to(new Uint8Array(value).fill(value[0] ^ 1, 0, 1))];
    case "number":
      return [to(BigInt(value) === shape.max ? value - 1 : value + 1)];
    case "counter":
      return [to(value === 0n ? 1n : value - 1n)];
    case "choice":
      return shape.names.filter((name) => name !== value).map((name) => to(name));
    case "text":
      return [to(value === "" ? "x" : [...value].slice(0, -1).join(""))];
    case "optional":
      if (value === null) return [to(valueOf(shape.inner, "smallest", field), " added")];
      return [to(null, " removed"), ...alterationsOf(shape.inner, value, field)];
    case "group":
      return shape.fields.flatMap(([name, inner]) =>
        alterationsOf(inner, value[name], `${field}.${name}`).map((altered) => ({
          field: altered.field,
          value: { ...value, [name]: altered.value },
        })),
      );
    case "list":
      return [
        to([...value, valueOf(shape.inner, "smallest", field)], " one more"),
        ...(value.length === 0 ? [] : [to(value.slice(1), " one less")]),
        ...(value as Value[]).flatMap((item, index) =>
          alterationsOf(shape.inner, item, `${field}.${index}`).map((altered) => ({
            field: altered.field,
            value: (value as Value[]).with(index, altered.value),
          })),
        ),
      ];
  }
}

/** What no text of a document may hold: controls, separators, and what reorders or hides. */
const STEERING = /[\p{Cc}\p{Zl}\p{Zp}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u;

/** Any value of this shape. */
export function arbitraryOf(shape: Shape): fc.Arbitrary<Value> {
  switch (shape.kind) {
    case "bytes":
      return fc.uint8Array({ minLength: shape.length, maxLength: shape.length });
    case "number":
      return fc.maxSafeNat().map((n) => n % (Number(shape.max) + 1));
    case "counter":
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    case "choice":
      return fc.constantFrom(...shape.names);
    case "text":
      return fc
        .string({ unit: "grapheme", maxLength: shape.maxBytes })
        .filter((t) => Buffer.byteLength(t) <= shape.maxBytes && !STEERING.test(t));
    case "optional":
      return fc.option(arbitraryOf(shape.inner), { nil: null });
    case "group":
      return fc.record(
        Object.fromEntries(shape.fields.map(([name, inner]) => [name, arbitraryOf(inner)])),
        { noNullPrototype: true },
      );
    case "list":
      return fc.array(arbitraryOf(shape.inner), { maxLength: 5 });
  }
}
