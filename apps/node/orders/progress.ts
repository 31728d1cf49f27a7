/**
 * How far the fetcher is, as it tells the keeper: a small file beside what it fetched.
 *
 * @module
 */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { MAX_FILES } from "@phantoma/crypto";
import { transferFailures } from "@phantoma/protocol";
import { z } from "zod";
import { writePublicFile } from "../setup/public-file.ts";

const PROGRESS_FILE = "progress.json";
/** 64 files of about 150 bytes each. */
const MAX_PROGRESS_BYTES = 64 * 1024;

const fileProgressSchema = z.strictObject({
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  received: z.int().nonnegative(),
  state: z.enum(["waiting", "fetching", "fetched", "failed"]),
  /** Why it failed, or why it is being tried again. */
  error: z.enum(transferFailures).nullable(),
});

export type FileProgress = z.infer<typeof fileProgressSchema>;

const progressSchema = z.strictObject({
  /** The counter of the order that it is about: what an earlier window left is not taken for this one's. */
  order: z.string().regex(/^\d{1,20}$/),
  files: z.array(fileProgressSchema).max(MAX_FILES),
});

export function writeProgress(dir: string, order: bigint, files: readonly FileProgress[]): void {
  const content = JSON.stringify({ order: String(order), files });
  writePublicFile(join(dir, PROGRESS_FILE), content, false);
}

/** What another process says of this order; nothing where it says nothing that can be read. */
export function readProgress(dir: string, order: bigint): readonly FileProgress[] {
  try {
    const untrusted: unknown = JSON.parse(readSmall(join(dir, PROGRESS_FILE)));
    const progress = progressSchema.parse(untrusted);
    return progress.order === String(order) ? progress.files : [];
  } catch {
    return [];
  }
}

/** A link, a pipe or an endless file in its place is not followed, waited for or read. */
function readSmall(path: string): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (!fstatSync(fd).isFile()) throw new RangeError("no file");
    const bytes = Buffer.alloc(MAX_PROGRESS_BYTES + 1);
    const length = readSync(fd, bytes);
    if (length > MAX_PROGRESS_BYTES) throw new RangeError("too long");
    return bytes.toString("utf8", 0, length);
  } finally {
    closeSync(fd);
  }
}
