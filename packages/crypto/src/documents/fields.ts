/**
 * The field kinds that signed documents are made of: fixed binary, big-endian, one encoding each.
 *
 * Whatever could be written in two ways is refused when read, so a document has exactly one form.
 *
 * @module
 */
import { CryptoError } from "../crypto-error.ts";

/** Writes one kind of value and reads it back; `read` takes untrusted bytes. */
export interface Field<T> {
  write(parts: Buffer[], value: T): void;
  read(input: FieldReader): T;
}

/** Walks over untrusted bytes and never past their end. */
export class FieldReader {
  #rest: Buffer;

  constructor(untrusted: Uint8Array) {
    this.#rest = Buffer.from(untrusted.buffer, untrusted.byteOffset, untrusted.byteLength);
  }

  /** @throws {@link CryptoError} `ERR_LENGTH` */
  take(length: number): Buffer {
    if (this.#rest.length < length) throw new CryptoError("ERR_LENGTH", "the document is cut off");
    const taken = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return taken;
  }

  get remaining(): number {
    return this.#rest.length;
  }
}

/** Exactly `length` bytes: keys, digests, nonces. */
export function bytes(length: number): Field<Uint8Array> {
  return {
    write(parts, value) {
      if (value.length !== length) refuse(`expected ${length} bytes, got ${value.length}`);
      parts.push(Buffer.from(value));
    },
    read: (input) => new Uint8Array(input.take(length)),
  };
}

/** An unsigned number of 1, 2 or 4 bytes. */
export function unsigned(width: 1 | 2 | 4): Field<number> {
  const limit = 2 ** (8 * width);
  return {
    write(parts, value) {
      if (!Number.isInteger(value) || value < 0 || value >= limit) refuse(`${value} does not fit`);
      const buffer = Buffer.alloc(width);
      buffer.writeUIntBE(value, 0, width);
      parts.push(buffer);
    },
    read: (input) => input.take(width).readUIntBE(0, width),
  };
}

/** Counters that only grow, and byte counts: 8 bytes. */
export const counter: Field<bigint> = {
  write(parts, value) {
    if (value < 0n || value >= 2n ** 64n) refuse("a counter has 64 bits");
    const buffer = Buffer.alloc(8);
    buffer.writeBigUInt64BE(value);
    parts.push(buffer);
  },
  read: (input) => input.take(8).readBigUInt64BE(),
};

/** Milliseconds since 1970 UTC, 8 bytes; a JavaScript number holds 285,000 years of them. */
export const time: Field<number> = {
  write(parts, value) {
    if (!Number.isSafeInteger(value) || value < 0) refuse("a time is whole milliseconds");
    counter.write(parts, BigInt(value));
  },
  read(input) {
    const value = counter.read(input);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) refuse("a time beyond any calendar");
    return Number(value);
  },
};

/** UTF-8 text after its length in bytes (2 bytes), without control characters. */
export function text(maxBytes: number): Field<string> {
  const length = unsigned(2);
  return {
    write(parts, value) {
      const encoded = Buffer.from(value, "utf8");
      if (encoded.length > maxBytes) refuse(`text of more than ${maxBytes} bytes`);
      if (!value.isWellFormed()) refuse("text that is not Unicode");
      if (STEERING.test(value)) refuse("text with control characters");
      length.write(parts, encoded.length);
      parts.push(encoded);
    },
    read(input) {
      const size = length.read(input);
      if (size > maxBytes) refuse(`text of more than ${maxBytes} bytes`);
      const value = decodeUtf8(input.take(size));
      if (STEERING.test(value)) refuse("text with control characters");
      return value;
    },
  };
}

/** One of a closed list of names, as its number in one byte. */
export function choice<const Names extends Readonly<Record<string, number>>>(
  names: Names,
): Field<keyof Names & string> {
  const byNumber = new Map(Object.entries(names).map(([name, number]) => [number, name]));
  return {
    write(parts, value) {
      if (!Object.hasOwn(names, value)) refuse("a value outside the list");
      parts.push(Buffer.of(names[value]!));
    },
    read(input) {
      const name = byNumber.get(input.take(1).readUInt8());
      return name ?? refuse("a value outside the list");
    },
  };
}

/** Absent (0) or present (1) and then the value: what was not measured is absent, never zero. */
export function optional<T>(field: Field<T>): Field<T | null> {
  return {
    write(parts, value) {
      parts.push(Buffer.of(value === null ? 0 : 1));
      if (value !== null) field.write(parts, value);
    },
    read(input) {
      const presence = input.take(1).readUInt8();
      if (presence > 1) refuse("a presence byte is 0 or 1");
      return presence === 1 ? field.read(input) : null;
    },
  };
}

export type ValuesOf<F> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never;
};

/** Several fields in the order they are named. */
export function group<F extends Readonly<Record<string, Field<any>>>>(
  fields: F,
): Field<ValuesOf<F>> {
  return {
    write(parts, value) {
      for (const [name, field] of Object.entries(fields))
        field.write(parts, value[name as keyof F]);
    },
    read(input) {
      const entries = Object.entries(fields).map(([name, field]) => [name, field.read(input)]);
      return Object.fromEntries(entries) as ValuesOf<F>;
    },
  };
}

/** Up to `max` items after their count (2 bytes). */
export function list<T>(item: Field<T>, max: number): Field<readonly T[]> {
  const count = unsigned(2);
  return {
    write(parts, values) {
      if (values.length > max) refuse(`more than ${max} entries`);
      count.write(parts, values.length);
      for (const value of values) item.write(parts, value);
    },
    read(input) {
      const size = count.read(input);
      if (size > max) refuse(`more than ${max} entries`);
      return Array.from({ length: size }, () => item.read(input));
    },
  };
}

/**
 * Controls (C0, DEL, C1), line separators, and what reorders or hides text: a name that is shown
 * must neither steer what shows it nor look like another name.
 */
const STEERING = /[\p{Cc}\p{Zl}\p{Zp}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeUtf8(untrusted: Uint8Array): string {
  try {
    return utf8.decode(untrusted);
  } catch {
    return refuse("text that is not UTF-8");
  }
}

function refuse(message: string): never {
  throw new CryptoError("ERR_DOCUMENT_FIELD", message);
}
