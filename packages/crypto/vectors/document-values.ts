/**
 * Values that fit a layout, and the same written: as wire bytes, as lines of a vector file, back.
 *
 * @module
 */
import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";
import type { DocumentLayout, Shape } from "./document-layouts.ts";

/** A value as the product has it; what it is follows from the shape beside it. */
export type Value = any;

/** A named piece of a document: its line in a vector file and its bytes on the wire. */
export interface Part {
  readonly name: string;
  readonly line: string;
  readonly wire: Buffer;
  readonly shape: Shape;
}

export type Size = "smallest" | "typical" | "largest";

/** A value of this shape; `typical` ones are different for each `label` and always the same. */
export function valueOf(shape: Shape, size: Size, label: string): Value {
  const pick = <T>(smallest: T, typical: T, largest: T): T =>
    size === "smallest" ? smallest : size === "typical" ? typical : largest;
  switch (shape.kind) {
    case "bytes":
      return pick(
        new Uint8Array(shape.length),
        new Uint8Array(digest(label, shape.length)),
        new Uint8Array(shape.length).fill(255),
      );
    case "number":
      return pick(0, digest(label, 6).readUIntBE(0, 6) % Number(shape.max), Number(shape.max));
    case "counter":
      return pick(0n, digest(label, 8).readBigUInt64BE(), 2n ** 64n - 1n);
    case "choice":
      return pick(shape.names[0], shape.names[1], shape.names.at(-1));
    case "text":
      return pick("", `naïve ${label}`.slice(-16), longestText(shape.maxBytes));
    case "optional":
      return pick(null, valueOf(shape.inner, size, label), valueOf(shape.inner, size, label));
    case "group":
      return Object.fromEntries(
        shape.fields.map(([name, field]) => [name, valueOf(field, size, `${label}.${name}`)]),
      );
    case "list":
      return Array.from({ length: pick(0, 1, 2) }, (_, i) =>
        valueOf(shape.inner, size, `${label}.${i}`),
      );
  }
}

/** Every piece of a value, in the order in which it is written. */
export function partsOf(shape: Shape, value: Value, name = ""): Part[] {
  const part = (line: string, wire: Buffer): Part => ({ name, line, wire, shape });
  const inside = (key: string | number): string => (name === "" ? `${key}` : `${name}.${key}`);
  switch (shape.kind) {
    case "bytes":
      return [part(hexOf(value), Buffer.from(value))];
    case "number":
      return [part(`${value}`, bigEndian(value, shape.width))];
    case "counter":
      return [part(`${value}`, bigEndian(value, 8))];
    case "choice": {
      const number = shape.names.indexOf(value) + 1;
      return [part(`${number}`, Buffer.of(number))];
    }
    case "text": {
      const encoded = Buffer.from(value, "utf8");
      return [part(hexOf(encoded), Buffer.concat([bigEndian(encoded.length, 2), encoded]))];
    }
    case "optional":
      return value === null
        ? [part("0", Buffer.of(0))]
        : [part("1", Buffer.of(1)), ...partsOf(shape.inner, value, inside("value"))];
    case "group":
      return shape.fields.flatMap(([key, field]) => partsOf(field, value[key], inside(key)));
    case "list":
      return [
        part(`${value.length}`, bigEndian(value.length, 2)),
        ...value.flatMap((item: Value, i: number) => partsOf(shape.inner, item, inside(i))),
      ];
  }
}

/** The value that these lines of a vector file describe. */
export function valueFromLines(shape: Shape, lines: ReadonlyMap<string, string>, name = ""): Value {
  const line = lines.get(name) ?? "";
  const inside = (key: string | number): string => (name === "" ? `${key}` : `${name}.${key}`);
  switch (shape.kind) {
    case "bytes":
      return new Uint8Array(bytesOf(line));
    case "number":
      return Number(line);
    case "counter":
      return BigInt(line);
    case "choice":
      return shape.names[Number(line) - 1];
    case "text":
      return bytesOf(line).toString("utf8");
    case "optional":
      return line === "0" ? null : valueFromLines(shape.inner, lines, inside("value"));
    case "group":
      return Object.fromEntries(
        shape.fields.map(([key, field]) => [key, valueFromLines(field, lines, inside(key))]),
      );
    case "list":
      return Array.from({ length: Number(line) }, (_, i) =>
        valueFromLines(shape.inner, lines, inside(i)),
      );
  }
}

/** Signs any bytes as a document of this layout, well-formed or not. */
export function signBody(layout: DocumentLayout, body: Uint8Array, seed: Uint8Array): Buffer {
  const domain = Buffer.from(`phantoma ${layout.name} v${layout.version}\0`, "ascii");
  return Buffer.concat([body, sign(null, Buffer.concat([domain, body]), keyFrom(seed))]);
}

export function bodyOf(layout: DocumentLayout, parts: readonly Part[]): Buffer {
  const header = Buffer.of(layout.type, layout.version);
  return Buffer.concat([header, ...parts.map(({ wire }) => wire)]);
}

/** A signer of the vectors; its seed is SHA-256 of its name. */
export function seedOf(name: string): Buffer {
  return digest(`signer ${name}`, 32);
}

export function publicKeyOf(seed: Uint8Array): Buffer {
  const der = createPublicKey(keyFrom(seed)).export({ format: "der", type: "spki" });
  return der.subarray(der.length - 32);
}

export function keyFrom(seed: Uint8Array): ReturnType<typeof createPrivateKey> {
  const key = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
  return createPrivateKey({ key, format: "der", type: "pkcs8" });
}

/** `length` bytes that always follow from `label`. */
export function digest(label: string, length: number): Buffer {
  return createHash("shake256", { outputLength: length }).update(`phantoma ${label}`).digest();
}

/** Cases apart by an empty line; a line is a name, a space and a value; `-` is an empty value. */
export function parseCases(file: string): ReadonlyMap<string, string>[] {
  return file
    .trimEnd()
    .split("\n\n")
    .map((block) => new Map(block.split("\n").map((line) => line.split(" ") as [string, string])));
}

export function bytesOf(line: string | undefined): Buffer {
  return Buffer.from(line === undefined || line === "-" ? "" : line, "hex");
}

export function hexOf(bytes: Uint8Array): string {
  return bytes.length === 0 ? "-" : Buffer.from(bytes).toString("hex");
}

export function bigEndian(value: bigint | number, width: number): Buffer {
  return Buffer.from(
    BigInt(value)
      .toString(16)
      .padStart(2 * width, "0"),
    "hex",
  );
}

/** Exactly as many bytes as are allowed, in characters of one to four bytes. */
function longestText(maxBytes: number): string {
  const wide = "aß€😀".repeat(Math.floor(maxBytes / 10));
  return wide + "z".repeat(maxBytes - Buffer.byteLength(wide));
}
