/**
 * Reads the header of a GGUF file and remembers where each field lies, for tests and for `corrupt.ts`.
 * It checks that the header is one; it does not check that the header tells the truth about the tensors.
 *
 * Source: ggml docs/gguf.md, version 3.
 *
 * @module
 */
import { open } from "node:fs/promises";

import { MakeModelError } from "./make-model-error.ts";

export interface TensorEntry {
  readonly name: string;
  readonly dimensions: readonly number[];
  /** `ggml_type` number. */
  readonly type: number;
  /** From the start of the tensors, in bytes. */
  readonly offset: number;
  /** Where the first dimension lies in the file; the others follow. */
  readonly dimensionsAt: number;
  /** Where the offset lies in the file. */
  readonly offsetAt: number;
}

export interface GgufHeader {
  /** Keys, and where the value of each lies in the file. */
  readonly keys: ReadonlyMap<string, { readonly type: number; readonly valueAt: number }>;
  readonly tensors: readonly TensorEntry[];
  /** Where the tensors start in the file. */
  readonly tensorsAt: number;
  readonly fileBytes: number;
}

/** Where the number of tensors lies in every GGUF file. */
export const TENSOR_COUNT_AT = 8;

/** @throws {@link MakeModelError} `ERR_NOT_GGUF` */
export async function readGgufHeader(path: string): Promise<GgufHeader> {
  await using file = await open(path, "r");
  const { size } = await file.stat();
  const untrusted = Buffer.alloc(Math.min(size, MAX_HEADER_BYTES));
  await file.read(untrusted, 0, untrusted.length, 0);
  try {
    return decodeHeader(untrusted, size);
  } catch (cause) {
    throw new MakeModelError("ERR_NOT_GGUF", `${path} is not a whole GGUF file`, { cause });
  }
}

/** 16 MiB: ten times the header of the widest vocabulary the maker writes. */
const MAX_HEADER_BYTES = 1 << 24;
const ALIGNMENT_BYTES = 32;

/** `gguf_metadata_value_type` numbers of what is not a plain number. */
const STRING = 8;
const ARRAY = 9;
/** Bytes of each plain `gguf_metadata_value_type`. */
const NUMBER_BYTES: Readonly<Record<number, number>> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  4: 4,
  5: 4,
  6: 4,
  7: 1,
  10: 8,
  11: 8,
  12: 8,
};

/** Reads forward; a field that does not fit throws a RangeError. */
class Fields {
  at = 0;
  readonly #untrusted: Buffer;

  constructor(untrusted: Buffer) {
    this.#untrusted = untrusted;
  }

  u32(): number {
    return this.#untrusted.readUInt32LE(this.skip(4));
  }

  u64(): number {
    const value = this.#untrusted.readBigUInt64LE(this.skip(8));
    if (value > Number.MAX_SAFE_INTEGER) throw new RangeError(`${value} is too large`);
    return Number(value);
  }

  string(): string {
    const length = this.u64();
    return this.#untrusted.toString("utf8", this.skip(length), this.at);
  }

  /** @returns where the skipped bytes start */
  skip(bytes: number): number {
    const start = this.at;
    if (start + bytes > this.#untrusted.length) throw new RangeError(`the header ends at ${start}`);
    this.at += bytes;
    return start;
  }
}

function decodeHeader(untrusted: Buffer, fileBytes: number): GgufHeader {
  const fields = new Fields(untrusted);
  if (fields.u32() !== 0x46554747 || fields.u32() !== 3) throw new RangeError("not GGUF version 3");
  const tensorCount = fields.u64();
  const keyCount = fields.u64();

  const keys = new Map<string, { type: number; valueAt: number }>();
  for (let index = 0; index < keyCount; index++) {
    const key = fields.string();
    const type = fields.u32();
    keys.set(key, { type, valueAt: fields.at });
    skipValue(fields, type);
  }

  const tensors: TensorEntry[] = [];
  for (let index = 0; index < tensorCount; index++) {
    const name = fields.string();
    const rank = fields.u32();
    const dimensionsAt = fields.at;
    const dimensions: number[] = [];
    for (let axis = 0; axis < rank; axis++) dimensions.push(fields.u64());
    const type = fields.u32();
    const offsetAt = fields.at;
    tensors.push({ name, dimensions, type, offset: fields.u64(), dimensionsAt, offsetAt });
  }
  const tensorsAt = Math.ceil(fields.at / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
  return { keys, tensors, tensorsAt, fileBytes };
}

function skipValue(fields: Fields, type: number): void {
  if (type === STRING) {
    fields.string();
  } else if (type === ARRAY) {
    const elementType = fields.u32();
    const length = fields.u64();
    for (let index = 0; index < length; index++) skipValue(fields, elementType);
  } else {
    const bytes = NUMBER_BYTES[type];
    if (bytes === undefined) throw new RangeError(`unknown value type ${type}`);
    fields.skip(bytes);
  }
}
