/**
 * Writes a GGUF file: metadata, a table of tensors, then the tensors, one chunk in memory at a time.
 * It knows the container, not what the keys or tensors mean.
 *
 *   magic "GGUF" | version u32 | tensor count u64 | metadata count u64
 *   metadata:  key string | value type u32 | value
 *   tensors:   name string | dimension count u32 | dimensions u64 | type u32 | offset u64
 *   zeros up to ALIGNMENT_BYTES, then each tensor, zero-padded to ALIGNMENT_BYTES
 *
 * Source: ggml docs/gguf.md, version 3. All numbers are little-endian; a string is a u64 length and UTF-8.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";

/** A metadata value with its GGUF type. */
export type MetadataValue =
  | { readonly type: "u32"; readonly value: number }
  | { readonly type: "f32"; readonly value: number }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "i32 array"; readonly value: readonly number[] }
  | { readonly type: "string array"; readonly value: readonly string[] };

export type Metadata = ReadonlyMap<string, MetadataValue>;

export interface Tensor {
  readonly name: string;
  /** Elements along each axis, the contiguous axis first. */
  readonly dimensions: readonly number[];
  readonly type: "F32" | "Q8_0";
  /** Yields exactly the tensor's bytes; a yielded chunk may be reused after the next one is asked for. */
  readonly chunks: () => Iterable<Uint8Array>;
}

/** Everything of a model but the tensors' bytes. */
export interface GgufPlan {
  readonly header: Buffer;
  readonly tensors: readonly Tensor[];
  /** Size of the finished file. */
  readonly bytes: number;
}

/** Lays the file out without producing any weights. */
export function planGguf(metadata: Metadata, tensors: readonly Tensor[]): GgufPlan {
  const parts = [Buffer.from("GGUF"), u32(3), u64(tensors.length), u64(metadata.size)];
  for (const [key, value] of metadata) parts.push(string(key), ...encodeValue(value));
  let offset = 0;
  for (const tensor of tensors) {
    parts.push(string(tensor.name), u32(tensor.dimensions.length), ...tensor.dimensions.map(u64));
    parts.push(u32(TENSOR_TYPES[tensor.type].id), u64(offset));
    offset += aligned(tensorBytes(tensor));
  }
  const unpadded = Buffer.concat(parts);
  const header = Buffer.concat([unpadded, paddingAfter(unpadded.length)]);
  return { header, tensors, bytes: header.length + offset };
}

/**
 * Writes the planned file into an empty one.
 *
 * @param onProgress called with the bytes written so far, after each tensor
 * @returns the SHA-256 of the file, in hexadecimal
 */
export async function writeGguf(
  file: FileHandle,
  plan: GgufPlan,
  onProgress?: (writtenBytes: number) => void,
): Promise<string> {
  const hash = createHash("sha256");
  let writtenBytes = 0;
  const append = async (chunk: Uint8Array): Promise<void> => {
    hash.update(chunk);
    // `writeFile` on a handle writes all of the chunk at the current position; `write` may write less.
    await file.writeFile(chunk);
    writtenBytes += chunk.length;
  };

  await append(plan.header);
  for (const tensor of plan.tensors) {
    const start = writtenBytes;
    for (const chunk of tensor.chunks()) await append(chunk);
    if (writtenBytes - start !== tensorBytes(tensor)) {
      throw new RangeError(`tensor ${tensor.name} yielded ${writtenBytes - start} bytes`);
    }
    await append(paddingAfter(writtenBytes));
    onProgress?.(writtenBytes);
  }
  return hash.digest("hex");
}

/** The GGUF default; with it no `general.alignment` key is needed. */
const ALIGNMENT_BYTES = 32;

/** `ggml_type` numbers, and how many bytes hold how many elements. */
const TENSOR_TYPES = {
  F32: { id: 0, blockElements: 1, blockBytes: 4 },
  Q8_0: { id: 8, blockElements: 32, blockBytes: 34 },
} as const;

/** `gguf_metadata_value_type` numbers. */
const VALUE_TYPES = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9 } as const;

function encodeValue(entry: MetadataValue): Buffer[] {
  switch (entry.type) {
    case "u32":
      return [u32(VALUE_TYPES.u32), u32(entry.value)];
    case "f32":
      return [u32(VALUE_TYPES.f32), f32(entry.value)];
    case "bool":
      return [u32(VALUE_TYPES.bool), Buffer.from([entry.value ? 1 : 0])];
    case "string":
      return [u32(VALUE_TYPES.string), string(entry.value)];
    case "i32 array":
      return [...arrayHead(VALUE_TYPES.i32, entry.value.length), ...entry.value.map(i32)];
    case "string array":
      return [...arrayHead(VALUE_TYPES.string, entry.value.length), ...entry.value.map(string)];
  }
}

function arrayHead(elementType: number, length: number): Buffer[] {
  return [u32(VALUE_TYPES.array), u32(elementType), u64(length)];
}

function tensorBytes({ dimensions, type }: Tensor): number {
  const elements = dimensions.reduce((product, dimension) => product * dimension, 1);
  const { blockElements, blockBytes } = TENSOR_TYPES[type];
  return (elements / blockElements) * blockBytes;
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
}

function paddingAfter(bytes: number): Buffer {
  return Buffer.alloc(aligned(bytes) - bytes);
}

function string(value: string): Buffer {
  const text = Buffer.from(value, "utf8");
  return Buffer.concat([u64(text.length), text]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function i32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function f32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
