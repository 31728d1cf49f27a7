/**
 * The TUF repository in a folder that the release ceremony wrote: read only, and nothing but its own names.
 *
 *   metadata/N.root.json, timestamp.json, N.snapshot.json, N.targets.json
 *   targets/SHA256.NAME
 *
 * Nothing here is vouched for by the control plane: nodes verify what people signed.
 *
 * @module
 */
import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";

/** 16 KiB, as in `packages/release`: it names one file. */
const MAX_TIMESTAMP_BYTES = 16_384;
/** How long a node may be told of the last timestamp after a new one lies there. */
const TIMESTAMP_MS = 1_000;

export const METADATA_NAME = "^(timestamp|[1-9][0-9]{0,8}\\.(root|snapshot|targets))\\.json$";
export const TARGET_NAME = "^[0-9a-f]{64}\\.[A-Za-z0-9][A-Za-z0-9._-]{0,127}$";

export class Repository {
  readonly #dir: string | undefined;
  #timestamp: { bytes: Buffer | undefined; until: number } = { bytes: undefined, until: 0 };

  /** @param dir `undefined`: there are no releases here */
  constructor(dir: string | undefined) {
    this.#dir = dir;
  }

  /** @returns `undefined` when it is not there, or is no plain file */
  async open(kind: "metadata" | "targets", name: string): Promise<FileHandle | undefined> {
    if (this.#dir === undefined) return undefined;
    if (!new RegExp(kind === "metadata" ? METADATA_NAME : TARGET_NAME).test(name)) return undefined;
    const path = join(this.#dir, kind, name);
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const file = await open(path, flags).catch(() => undefined);
    if (!file || (await file.stat()).isFile()) return file;
    await file.close();
    return undefined;
  }

  async timestamp(): Promise<Buffer | undefined> {
    const now = performance.now();
    if (now < this.#timestamp.until) return this.#timestamp.bytes;
    this.#timestamp = { bytes: await this.#readTimestamp(), until: now + TIMESTAMP_MS };
    return this.#timestamp.bytes;
  }

  async #readTimestamp(): Promise<Buffer | undefined> {
    await using file = await this.open("metadata", "timestamp.json");
    if (!file || (await file.stat()).size > MAX_TIMESTAMP_BYTES) return undefined;
    return file.readFile();
  }
}
