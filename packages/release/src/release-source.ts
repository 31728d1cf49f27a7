/**
 * Where a release is read from. Nothing here is trusted: a source may lie, withhold and never end.
 *
 *   metadata/N.root.json, timestamp.json, N.snapshot.json, N.targets.json
 *   targets/SHA256.NAME
 *
 * @module
 */
import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { ReleaseError } from "./release-error.ts";

export interface ReleaseSource {
  /**
   * @returns `undefined` when it is not there
   * @throws {@link ReleaseError} `ERR_TOO_LARGE` past `maxBytes`, without reading on
   */
  read(path: string, maxBytes: number): Promise<Buffer | undefined>;
}

/** A release in a folder: what was downloaded, uploaded or put on a stick. */
export class ReleaseFolder implements ReleaseSource {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  async read(path: string, maxBytes: number): Promise<Buffer | undefined> {
    return readBounded(join(this.#dir, path), maxBytes);
  }
}

/** @throws {@link ReleaseError} `ERR_TOO_LARGE` past `maxBytes` */
export async function readBounded(path: string, maxBytes: number): Promise<Buffer | undefined> {
  await using file = await openIfPresent(path);
  if (file === undefined) return undefined;
  const buffer = Buffer.alloc(maxBytes + 1);
  let length = 0;
  while (length <= maxBytes) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length);
    if (bytesRead === 0) return buffer.subarray(0, length);
    length += bytesRead;
  }
  throw new ReleaseError("ERR_TOO_LARGE", `${path} is longer than ${maxBytes} bytes`);
}

async function openIfPresent(path: string): Promise<FileHandle | undefined> {
  let file: FileHandle;
  try {
    // Whoever wrote the folder may have put a link there, or a pipe that nobody ever writes to.
    file = await open(
      path,
      constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0),
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new ReleaseError("ERR_MISSING", `${path} cannot be read`);
  }
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new ReleaseError("ERR_MISSING", `${path} is no file`);
}
