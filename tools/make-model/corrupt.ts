/**
 * Copies a model and makes the copy lie, for attack tests: a loader has to refuse each kind without harm.
 *
 * @module
 */
import { copyFile, open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";

import { readGgufHeader, TENSOR_COUNT_AT } from "./gguf-reader.ts";
import type { GgufHeader, TensorEntry } from "./gguf-reader.ts";
import { MakeModelError } from "./make-model-error.ts";

export type CorruptionKind = keyof typeof corruptions;

/** Every kind, in the order of {@link corruptions}. */
export function corruptionKinds(): CorruptionKind[] {
  return Object.keys(corruptions) as CorruptionKind[];
}

/**
 * Writes a lying copy of the model at `path` to `outPath`, over whatever is there.
 *
 * @param path a whole model of the model maker
 * @throws {@link MakeModelError} `ERR_NOT_GGUF`
 */
export async function corruptModel(
  path: string,
  outPath: string,
  kind: CorruptionKind,
): Promise<void> {
  const header = await readGgufHeader(path);
  await copyFile(path, outPath);
  await using file = await open(outPath, "r+");
  await corruptions[kind](file, header);
}

/** What each kind does to the copy. */
const corruptions = {
  "tensor-offset-beyond-file": async (file, header) => {
    await overwriteU64(file, lastTensor(header).offsetAt, 1n << 40n);
  },
  /** Past the end when added to the start of the tensors in 64 bits: the sum wraps. */
  "tensor-offset-wraps": async (file, header) => {
    await overwriteU64(file, lastTensor(header).offsetAt, (1n << 64n) - 32n);
  },
  "tensor-size-beyond-file": async (file, header) => {
    const { dimensionsAt, dimensions } = lastTensor(header);
    await overwriteU64(file, dimensionsAt + (dimensions.length - 1) * 8, 1n << 32n);
  },
  "truncated-tensors": async (file, { tensorsAt, fileBytes }) => {
    await file.truncate(Math.floor((tensorsAt + fileBytes) / 2));
  },
  "truncated-header": async (file, { tensorsAt }) => {
    await file.truncate(Math.floor(tensorsAt / 2));
  },
  "huge-tensor-count": async (file) => {
    await overwriteU64(file, TENSOR_COUNT_AT, 1n << 60n);
  },
  /** Small enough to be allocated, if a loader believes it. */
  "large-tensor-count": async (file) => {
    await overwriteU64(file, TENSOR_COUNT_AT, 1n << 31n);
  },
  "huge-string-length": async (file, { keys }) => {
    await overwriteU64(file, valueAt(keys, "general.name"), 1n << 60n);
  },
  /** Small enough to be allocated, if a loader believes it. */
  "large-string-length": async (file, { keys }) => {
    await overwriteU64(file, valueAt(keys, "general.name"), 1n << 33n);
  },
  "huge-array-length": async (file, { keys }) => {
    // An array starts with the type of its elements; its length follows.
    await overwriteU64(file, valueAt(keys, "tokenizer.ggml.tokens") + 4, 1n << 60n);
  },
  "no-heads": async (file, { keys }) => {
    await overwriteU32(file, valueAt(keys, "llama.attention.head_count"), 0);
  },
  "huge-layer-count": async (file, { keys }) => {
    await overwriteU32(file, valueAt(keys, "llama.block_count"), 2 ** 32 - 1);
  },
  "token-beyond-vocabulary": async (file, { keys }) => {
    await overwriteU32(file, valueAt(keys, "tokenizer.ggml.eos_token_id"), 2 ** 31 - 1);
  },
  "wrong-magic": async (file) => {
    await file.write(Buffer.from("FUGG"), 0, 4, 0);
  },
  "zero-length": async (file) => {
    await file.truncate(0);
  },
} as const satisfies Record<string, (file: FileHandle, header: GgufHeader) => Promise<void>>;

async function overwriteU64(file: FileHandle, at: number, value: bigint): Promise<void> {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  await file.write(bytes, 0, bytes.length, at);
}

async function overwriteU32(file: FileHandle, at: number, value: number): Promise<void> {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  await file.write(bytes, 0, bytes.length, at);
}

function lastTensor({ tensors }: GgufHeader): TensorEntry {
  const last = tensors.at(-1);
  if (!last) throw new MakeModelError("ERR_NOT_GGUF", "the model has no tensors");
  return last;
}

function valueAt(keys: GgufHeader["keys"], key: string): number {
  const entry = keys.get(key);
  if (!entry) throw new MakeModelError("ERR_NOT_GGUF", `the model has no ${key}`);
  return entry.valueAt;
}
