/**
 * Whether a file of any size is the expected one, in constant memory; who keeps a copy keeps exactly what was hashed.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { ReleaseError } from "./release-error.ts";

export interface ExpectedFile {
  readonly length: number;
  readonly sha256: string;
}

/** Takes a file's bytes as they are hashed; each piece is good until the next is asked for. */
export type Keep = (bytes: AsyncIterable<Uint8Array>) => Promise<void>;

/** 1 MiB: larger pieces are not faster. */
const PIECE_BYTES = 1_048_576;

/**
 * Refuses a file that is not the expected one; reads it once, and no further than one byte past its expected end.
 *
 * @param keep for a file in somebody else's folder: who uses what it kept uses what was hashed, whatever happens to
 *   the file. What it has kept by the time of a refusal is worth nothing and the caller's to remove. A link is not
 *   followed then, and a pipe not waited for.
 * @throws {@link ReleaseError} `ERR_MISSING`, `ERR_DIGEST`
 */
export async function demandDigest(
  path: string,
  expected: ExpectedFile,
  keep?: Keep,
): Promise<void> {
  await using file = await (keep === undefined ? open(path, "r") : openPlain(path)).catch(() => {
    throw new ReleaseError("ERR_MISSING", `${path} cannot be read`);
  });
  let isWhole = false;
  async function* bytes(): AsyncGenerator<Uint8Array> {
    yield* piecesOf(file, path, expected);
    isWhole = true;
  }
  if (keep !== undefined) await keep(bytes());
  else for await (const _ of bytes());
  if (!isWhole) throw new ReleaseError("ERR_DIGEST", `${path} was not read to its end`);
}

/** Ends only when all of it was the expected file. */
async function* piecesOf(
  file: FileHandle,
  path: string,
  expected: ExpectedFile,
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  const piece = Buffer.alloc(PIECE_BYTES);
  let length = 0;
  for (;;) {
    const wanted = Math.min(PIECE_BYTES, expected.length + 1 - length);
    const { bytesRead } = await file.read(piece, 0, wanted);
    if (bytesRead === 0) break;
    length += bytesRead;
    if (length > expected.length)
      throw new ReleaseError("ERR_DIGEST", `${path} is longer than ${expected.length} bytes`);
    hash.update(piece.subarray(0, bytesRead));
    yield piece.subarray(0, bytesRead);
  }
  if (length !== expected.length)
    throw new ReleaseError("ERR_DIGEST", `${path} is ${length} bytes long, not ${expected.length}`);
  if (hash.digest("hex") !== expected.sha256)
    throw new ReleaseError("ERR_DIGEST", `${path} is not the file that was signed`);
}

async function openPlain(path: string): Promise<FileHandle> {
  const file = await open(
    path,
    constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0),
  );
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new Error("no file");
}
