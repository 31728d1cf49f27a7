/**
 * Makes a GGUF model of a shape and a seed: the same shape, seed and version give the same bytes.
 * The file appears under its name only when it is whole.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { pipeline } from "node:stream/promises";

import { echoMetadata, echoTensors } from "./echo-model.ts";
import { planGguf, writeGguf } from "./gguf-writer.ts";
import type { GgufPlan, MetadataValue } from "./gguf-writer.ts";
import { MakeModelError } from "./make-model-error.ts";
import { noiseMetadata, noiseTensors } from "./noise-model.ts";
import { requireInteger } from "./shapes.ts";
import type { Shape } from "./shapes.ts";

export { MakeModelError } from "./make-model-error.ts";
export { shapes } from "./shapes.ts";
export type { Shape } from "./shapes.ts";

export interface MadeModel {
  readonly path: string;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  /** The file was there, whole and by this version of the maker; nothing was written. */
  readonly wasThere: boolean;
}

export interface MakeModelOptions {
  readonly path: string;
  readonly shape: Shape;
  /** From 0 to 2^32 - 1. */
  readonly seed: number;
  readonly onProgress?: (writtenBytes: number, totalBytes: number) => void;
}

/**
 * Writes the model, or finds it already there. A file of another shape, seed or version is replaced.
 *
 * @throws {@link MakeModelError} `ERR_OPTION` or `ERR_WRITE`
 */
export async function makeModel(options: MakeModelOptions): Promise<MadeModel> {
  const { shape, seed, onProgress } = options;
  requireInteger("--seed", seed, 0, 2 ** 32 - 1);
  const path = resolve(options.path);
  const plan = planModel(shape, seed);
  const { bytes } = plan;
  if (await isWritten(path, plan)) {
    return { path, bytes, sha256: await fileSha256(path), wasThere: true };
  }

  // The process id keeps two makers of the same model apart; the last rename wins, with the same bytes.
  const unfinishedPath = `${path}.${process.pid}.unfinished`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await using file = await open(unfinishedPath, "w");
    const sha256 = await writeGguf(file, plan, (written) => onProgress?.(written, bytes));
    await rename(unfinishedPath, path);
    return { path, bytes, sha256, wasThere: false };
  } catch (cause) {
    await rm(unfinishedPath, { force: true }).catch(() => undefined);
    throw new MakeModelError("ERR_WRITE", `${path} could not be written: ${String(cause)}`, {
      cause,
    });
  }
}

/** Where a model of this shape and seed is kept when the caller names no path: NAME-SEED.gguf. */
export function modelFileName(shape: Shape, seed: number): string {
  return `${shape.name}-${seed}.gguf`;
}

/** Part of the metadata. Raise it when a change alters any byte, so that no file of an older maker is used again. */
const MAKER_VERSION = 1;

function planModel(shape: Shape, seed: number): GgufPlan {
  const isEcho = shape.kind === "echo";
  const metadata = new Map<string, MetadataValue>([
    ["general.architecture", { type: "string", value: "llama" }],
    ["general.name", { type: "string", value: `phantoma ${shape.name}` }],
    ["general.file_type", { type: "u32", value: isEcho ? FILE_OF_F32 : FILE_OF_Q8_0 }],
    ["general.quantization_version", { type: "u32", value: 2 }],
    ["phantoma.maker_version", { type: "u32", value: MAKER_VERSION }],
    ["phantoma.seed", { type: "u32", value: seed }],
    ...(isEcho ? echoMetadata(shape) : noiseMetadata(shape)),
  ]);
  return planGguf(metadata, isEcho ? echoTensors(shape) : noiseTensors(shape, seed));
}

/** `llama_ftype` numbers. */
const FILE_OF_F32 = 0;
const FILE_OF_Q8_0 = 7;

/** Whether the file has the planned size and header; a file under its final name was written to its end. */
async function isWritten(path: string, plan: GgufPlan): Promise<boolean> {
  try {
    await using file = await open(path, "r");
    if ((await file.stat()).size !== plan.bytes) return false;
    const header = Buffer.alloc(plan.header.length);
    await file.read(header, 0, header.length, 0);
    return header.equals(plan.header);
  } catch {
    return false;
  }
}

async function fileSha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest("hex");
}
