/**
 * JSON Schema as a grammar: whatever the model answers is valid then.
 *
 * The grammar may be narrower than the schema (members in their order, no others than those named, one way to
 * space them) and is never wider. A keyword that it cannot hold an answer to is refused by its name.
 *
 * Source: JSON Schema 2020-12, Core and Validation.
 *
 * @module
 */
import { ApiError } from "../request/api-error.ts";
import { literal, type Grammar } from "./grammar.ts";

/** What says nothing about what is valid. */
const ANNOTATIONS = new Set([
  "$schema",
  "$id",
  "$comment",
  "$defs",
  "definitions",
  "title",
  "description",
  "default",
  "examples",
  "deprecated",
  "readOnly",
  "writeOnly",
]);

/** By the type that they are about; `true` in every type. */
const KEYWORDS: Readonly<Record<string, readonly string[]>> = {
  string: ["minLength", "maxLength", "format"],
  integer: ["minimum", "maximum"],
  number: [],
  boolean: [],
  null: [],
  object: ["properties", "required", "additionalProperties"],
  array: ["items", "minItems", "maxItems"],
};

/** Deeper than what anybody writes; a schema is read by recursion. */
const MAX_DEPTH = 64;
/** llama.cpp repeats nothing much more often. */
const MAX_REPEATS = 1_000;
/** Every number between two bounds is a word of the grammar. */
const MAX_INTEGERS = 1_000;
/** Digits that fit a number of JavaScript exactly. */
const SAFE_DIGITS = 15;
const SAFE_BOUND = 10 ** SAFE_DIGITS - 1;

const FORMATS: Readonly<Record<string, string>> = {
  date: "date",
  time: "time",
  "date-time": 'date "T" time',
  uuid: 'hex{8} "-" hex{4} "-" hex{4} "-" hex{4} "-" hex{12}',
};

const PRIMITIVES: Readonly<Record<string, string>> = {
  value: "object | array | string | number | boolean | null",
  object: `"{" (member (", " member)*)? "}"`,
  member: `string ": " value`,
  array: `"[" (value (", " value)*)? "]"`,
  string: `"\\"" char* "\\""`,
  char: `[^"\\\\\\x00-\\x1f\\x7f] | "\\\\" (["\\\\/bfnrt] | "u" hex{4})`,
  hex: "[0-9a-fA-F]",
  integer: `"-"? natural`,
  natural: `"0" | [1-9] [0-9]{0,${SAFE_DIGITS - 1}}`,
  number: `integer ("." [0-9]{1,${SAFE_DIGITS}})? ([eE] [+-]? [0-9]{1,2})?`,
  boolean: '"true" | "false"',
  null: '"null"',
  date: `[0-9]{4} "-" ("0" [1-9] | "1" [0-2]) "-" ("0" [1-9] | "1" [0-9] | "2" [0-8])`,
  time: `([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9] ":" [0-5] [0-9] ("." [0-9]{3})? "Z"`,
};

/** Adds what every schema's rules stand on. */
export function definePrimitives(grammar: Grammar): void {
  for (const [name, body] of Object.entries(PRIMITIVES)) grammar.define(name, body);
}

/**
 * Adds the rules of a schema.
 *
 * @param param where the schema stands in the request, for whoever is told
 * @returns the rule of a valid value
 * @throws {@link ApiError} 400 that names the keyword
 */
export function schemaRule(grammar: Grammar, schema: unknown, param: string): string {
  return new SchemaReader(grammar, schema, param).rule(schema, [], 0);
}

type Path = readonly string[];
type Schema = Readonly<Record<string, unknown>>;

class SchemaReader {
  readonly #grammar: Grammar;
  readonly #root: unknown;
  readonly #param: string;
  /** Of what `$ref` names, also of what is still being read. */
  readonly #references = new Map<string, string>();

  constructor(grammar: Grammar, root: unknown, param: string) {
    this.#grammar = grammar;
    this.#root = root;
    this.#param = param;
  }

  rule(untrusted: unknown, path: Path, depth: number): string {
    if (depth > MAX_DEPTH) throw this.#refusal(path, `schemas are at most ${MAX_DEPTH} deep`);
    if (untrusted === true) return "value";
    if (!isObject(untrusted)) throw this.#refusal(path, "a schema is an object");
    const schema = untrusted;
    const next = (inner: unknown, ...steps: Path) =>
      this.rule(inner, [...path, ...steps], depth + 1);
    if (schema.$ref !== undefined) {
      this.#allow(schema, path, ["$ref"]);
      return this.#reference(schema.$ref, path, depth);
    }
    if (schema.anyOf !== undefined) {
      this.#allow(schema, path, ["anyOf"]);
      const { anyOf } = schema;
      if (!Array.isArray(anyOf) || anyOf.length === 0)
        throw this.#refusal([...path, "anyOf"], LIST);
      return this.#grammar.add(anyOf.map((one, i) => next(one, "anyOf", String(i))).join(" | "));
    }
    if (schema.const !== undefined) {
      this.#allow(schema, path, ["const", "type"]);
      return this.#oneOf([schema.const], schema.type, [...path, "const"]);
    }
    if (schema.enum !== undefined) {
      this.#allow(schema, path, ["enum", "type"]);
      if (!Array.isArray(schema.enum) || schema.enum.length === 0)
        throw this.#refusal([...path, "enum"], LIST);
      return this.#oneOf(schema.enum, schema.type, [...path, "enum"]);
    }
    const types = typesOf(schema);
    if (types === undefined) {
      this.#allow(schema, path, []);
      return "value";
    }
    const known = types.filter((type) => Object.hasOwn(KEYWORDS, String(type)));
    if (known.length < types.length)
      throw this.#refusal([...path, "type"], "there is no such type");
    this.#allow(schema, path, ["type", ...known.flatMap((type) => KEYWORDS[type as string]!)]);
    const rules = known.map((type) => this.#typeRule(type as string, schema, path, depth));
    return rules.length === 1 ? rules[0]! : this.#grammar.add(rules.join(" | "));
  }

  #oneOf(values: readonly unknown[], type: unknown, path: Path): string {
    const types = type === undefined ? undefined : [type].flat();
    if (values.some((value) => types && !typeNames(value).some((name) => types.includes(name))))
      throw this.#refusal(path, "it is not of its type");
    return this.#grammar.add(values.map((value) => literal(JSON.stringify(value))).join(" | "));
  }

  #typeRule(type: string, schema: Schema, path: Path, depth: number): string {
    if (type === "string") return this.#string(schema, path);
    if (type === "integer") return this.#integer(schema, path);
    if (type === "object") return this.#object(schema, path, depth);
    if (type === "array") return this.#array(schema, path, depth);
    return type;
  }

  #string({ minLength, maxLength, format }: Schema, path: Path): string {
    if (format !== undefined) {
      const body = typeof format === "string" && Object.hasOwn(FORMATS, format) && FORMATS[format];
      if (!body || minLength !== undefined || maxLength !== undefined)
        throw this.#refusal([...path, "format"], `only ${Object.keys(FORMATS).join(", ")}, alone`);
      return this.#grammar.add(`"\\"" ${body} "\\""`);
    }
    if (minLength === undefined && maxLength === undefined) return "string";
    const least = this.#count(minLength ?? 0, [...path, "minLength"]);
    const most = maxLength === undefined ? "" : this.#count(maxLength, [...path, "maxLength"]);
    return this.#grammar.add(`"\\"" char{${least},${most}} "\\""`);
  }

  #integer({ minimum = -Infinity, maximum = Infinity }: Schema, path: Path): string {
    if (typeof minimum !== "number") throw this.#refusal([...path, "minimum"], "it is a number");
    if (typeof maximum !== "number") throw this.#refusal([...path, "maximum"], "it is a number");
    const [least, most] = [Math.ceil(minimum), Math.floor(maximum)];
    if (most - least < 0) throw this.#refusal([...path, "maximum"], "no number is between the two");
    if (most - least < MAX_INTEGERS) {
      const numbers = Array.from({ length: most - least + 1 }, (_, at) => String(least + at));
      return this.#grammar.add(numbers.map(literal).join(" | "));
    }
    if (most < SAFE_BOUND)
      throw this.#refusal(
        [...path, "maximum"],
        `only with a minimum less than ${MAX_INTEGERS} below`,
      );
    if (least <= -SAFE_BOUND) return "integer";
    if (least === 0) return "natural";
    if (least === 1) return this.#grammar.add(`[1-9] [0-9]{0,${SAFE_DIGITS - 1}}`);
    throw this.#refusal([...path, "minimum"], "only 0 or 1, or with a maximum near it");
  }

  /** Members in their order, without those that are not required at will. */
  #object(schema: Schema, path: Path, depth: number): string {
    const { properties = {}, required = [], additionalProperties } = schema;
    if (!isObject(properties)) throw this.#refusal([...path, "properties"], "it is an object");
    if (!Array.isArray(required)) throw this.#refusal([...path, "required"], LIST);
    const names = Object.keys(properties);
    const missing = required.some((name) => !names.includes(String(name)));
    if (missing) throw this.#refusal([...path, "required"], "it names no property");
    if (names.length === 0) return this.#map(additionalProperties, path, depth);
    const members = names.map((name) => {
      const value = this.rule(properties[name], [...path, "properties", name], depth + 1);
      return {
        body: `${literal(`${JSON.stringify(name)}: `)} ${value}`,
        isRequired: required.includes(name),
      };
    });
    // What follows when a member stands before it, and when none does.
    let after = '""';
    let first = '""';
    for (const { body, isRequired } of members.toReversed()) {
      const begun = this.#grammar.add(`${body} ${after}`);
      first = isRequired ? begun : this.#grammar.add(`${begun} | ${first}`);
      after = isRequired
        ? this.#grammar.add(`", " ${begun}`)
        : this.#grammar.add(`", " ${begun} | ${after}`);
    }
    return this.#grammar.add(`"{" ${first} "}"`);
  }

  #map(untrusted: unknown, path: Path, depth: number): string {
    if (untrusted === false) return this.#grammar.add('"{}"');
    if (untrusted === undefined || untrusted === true) return "object";
    const value = this.rule(untrusted, [...path, "additionalProperties"], depth + 1);
    const member = this.#grammar.add(`string ": " ${value}`);
    return this.#grammar.add(`"{" (${member} (", " ${member})*)? "}"`);
  }

  #array({ items = true, minItems, maxItems }: Schema, path: Path, depth: number): string {
    const item = this.rule(items, [...path, "items"], depth + 1);
    const least = this.#count(minItems ?? 0, [...path, "minItems"]);
    const most = maxItems === undefined ? undefined : this.#count(maxItems, [...path, "maxItems"]);
    if (most !== undefined && most < least)
      throw this.#refusal([...path, "maxItems"], "it is less than minItems");
    if (most === 0) return this.#grammar.add('"[]"');
    const further = `{${Math.max(least - 1, 0)},${most === undefined ? "" : most - 1}}`;
    const all = `${item} (", " ${item})${further}`;
    return this.#grammar.add(`"[" ${least === 0 ? `(${all})?` : all} "]"`);
  }

  #reference(untrusted: unknown, path: Path, depth: number): string {
    const steps = typeof untrusted === "string" && /^#(\/.*)?$/.test(untrusted) && untrusted;
    if (steps === false) throw this.#refusal([...path, "$ref"], "only to a part of this schema");
    const known = this.#references.get(steps);
    if (known !== undefined) return known;
    let target: unknown = this.#root;
    for (const step of steps.split("/").slice(1)) {
      const name = decodeURIComponentOr(step).replaceAll("~1", "/").replaceAll("~0", "~");
      target = isObject(target) && Object.hasOwn(target, name) ? target[name] : undefined;
    }
    if (target === undefined) throw this.#refusal([...path, "$ref"], "there is no such part");
    const name = this.#grammar.add('""');
    this.#references.set(steps, name);
    const rule = this.rule(target, path, depth + 1);
    // A rule that is only itself has no end.
    if (rule === name) throw this.#refusal([...path, "$ref"], "it names itself");
    return this.#grammar.define(name, rule);
  }

  #count(untrusted: unknown, path: Path): number {
    if (
      Number.isInteger(untrusted) &&
      (untrusted as number) >= 0 &&
      (untrusted as number) <= MAX_REPEATS
    )
      return untrusted as number;
    throw this.#refusal(path, `only 0 to ${MAX_REPEATS}`);
  }

  /** Whatever else stands in a schema would not be held to. */
  #allow(schema: Schema, path: Path, keywords: readonly string[]): void {
    for (const keyword of Object.keys(schema))
      if (!ANNOTATIONS.has(keyword) && !keywords.includes(keyword))
        throw this.#refusal([...path, keyword], "the grammar cannot hold an answer to it");
  }

  #refusal(path: Path, why: string): ApiError {
    const param = [this.#param, ...path].join(".").slice(0, MAX_PARAM_CHARS);
    const message = `Unsupported schema: '${param}': ${why}`;
    return new ApiError(400, message, { param, code: "unsupported_schema" });
  }
}

const LIST = "it is a list with something in it";
/** A path of names that the program chose; an answer does not repeat a page of it. */
const MAX_PARAM_CHARS = 300;

function typesOf({ type, properties, items }: Schema): readonly unknown[] | undefined {
  if (type !== undefined) return [type].flat();
  if (properties !== undefined) return ["object"];
  return items === undefined ? undefined : ["array"];
}

function typeNames(value: unknown): readonly string[] {
  if (value === null) return ["null"];
  if (Array.isArray(value)) return ["array"];
  return Number.isInteger(value) ? ["integer", "number"] : [typeof value];
}

function isObject(untrusted: unknown): untrusted is Schema {
  return typeof untrusted === "object" && untrusted !== null && !Array.isArray(untrusted);
}

function decodeURIComponentOr(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}
