/**
 * The models of a node on disk: `<sha256>.gguf`, content-addressed, and `catalogue.json` with names.
 *
 * Only set-up and the keeper write here; gateway and workers read.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { constants, createReadStream, renameSync, rmSync } from "node:fs";
import { open, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { modelSchema, type Model } from "@phantoma/protocol";
import { z } from "zod";
import { readPublicFile, writePublicFile } from "../setup/public-file.ts";

/** Of a stored model: cells of other users read it, and nobody changes it. */
export const STORED_MODE = 0o444;

const catalogueSchema = z.array(modelSchema).max(1000);
/** 2 MiB: a thousand names of 255 characters, each escaped, with digest and length. */
const MAX_CATALOGUE_BYTES = 2 * 2 ** 20;

/** Why a file is not taken into the store. */
export type StoreFault =
  "ERR_TOO_LONG" | "ERR_TOO_SHORT" | "ERR_DIGEST" | "ERR_NO_SPACE" | "ERR_STORAGE";

export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreFault;

  constructor(code: StoreFault) {
    super(`the file was not stored: ${code}`);
    this.code = code;
  }
}

/** The fault that an error of the file system is. */
export function storeFaultOf(error: unknown): StoreFault {
  if (error instanceof StoreError) return error.code;
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOSPC" || code === "EDQUOT" ? "ERR_NO_SPACE" : "ERR_STORAGE";
}

/** @throws when the catalogue is not what this version writes */
export function readCatalogue(dir: string): Model[] {
  return catalogueSchema.parse(
    JSON.parse(readPublicFile(cataloguePath(dir), MAX_CATALOGUE_BYTES).toString("utf8")),
  );
}

/** Copies a model in while hashing it, and lists it. Adding the same file again changes nothing. */
export async function addModel(dir: string, sourcePath: string, name: string): Promise<Model> {
  // Before the copy: a name that readers refuse must not reach the catalogue.
  modelSchema.shape.name.parse(name);
  const incoming = join(dir, `incoming-${process.pid}.gguf`);
  try {
    const model = { name, ...(await copyHashing(createReadStream(sourcePath), incoming)) };
    renameSync(incoming, join(dir, `${model.digest}.gguf`));
    listModel(dir, model);
    return model;
  } finally {
    await rm(incoming, { force: true });
  }
}

/**
 * Copies a file in that may be anything, and takes it only if it is exactly what was signed.
 *
 * @param sourcePath in a folder that somebody else writes: a link there is not followed
 * @throws {@link StoreError}; nothing is left then
 */
export async function storeModel(dir: string, sourcePath: string, wanted: Model): Promise<void> {
  const incoming = join(dir, `incoming-${wanted.digest}.gguf`);
  let source: FileHandle | undefined;
  try {
    source = await open(sourcePath, FOREIGN_FILE);
    if (!(await source.stat()).isFile()) throw new StoreError("ERR_STORAGE");
    // `end` is inclusive: one byte more than wanted is read, and no second one.
    const copied = await copyHashing(source.createReadStream({ end: wanted.bytes }), incoming);
    if (copied.bytes > wanted.bytes) throw new StoreError("ERR_TOO_LONG");
    if (copied.bytes < wanted.bytes) throw new StoreError("ERR_TOO_SHORT");
    if (copied.digest !== wanted.digest) throw new StoreError("ERR_DIGEST");
    renameSync(incoming, join(dir, `${wanted.digest}.gguf`));
    listModel(dir, wanted);
  } catch (error) {
    throw new StoreError(storeFaultOf(error));
  } finally {
    await source?.close().catch(() => undefined);
    await rm(incoming, { force: true });
  }
}

/** Lists a model whose file is in its place. */
export function listModel(dir: string, model: Model): void {
  const others = readCatalogue(dir).filter(({ digest }) => digest !== model.digest);
  writeCatalogue(dir, [...others, model]);
}

/** Out of the catalogue first: what is listed is there. */
export async function removeModel(dir: string, digest: string): Promise<void> {
  writeCatalogue(
    dir,
    readCatalogue(dir).filter((model) => model.digest !== digest),
  );
  await rm(join(dir, `${digest}.gguf`), { force: true });
}

/** Whether a stored file is still what its name says; one that was not read to its end is not. */
export async function isWhole(dir: string, digest: string, signal?: AbortSignal): Promise<boolean> {
  const hash = createHash("sha256");
  try {
    for await (const piece of createReadStream(join(dir, `${digest}.gguf`), { signal }))
      hash.update(piece as Buffer);
  } catch {
    // A disk that cannot give it back does not have it whole.
    return false;
  }
  return hash.digest("hex") === digest;
}

/** A link, a pipe or a device in the place of a file neither leads elsewhere nor blocks. */
const FOREIGN_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

async function copyHashing(
  source: Readable,
  path: string,
): Promise<{ digest: string; bytes: number }> {
  const hash = createHash("sha256");
  let bytes = 0;
  // What a copy left that was killed may not be writable.
  rmSync(path, { force: true });
  // Exclusive, and changed by its descriptor: the folder's owner may lay a link there meanwhile.
  await using copy = await open(path, "wx", 0o600);
  for await (const chunk of source as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
    await copy.writeFile(chunk);
  }
  await copy.chmod(STORED_MODE);
  await copy.sync();
  return { digest: hash.digest("hex"), bytes };
}

export function writeCatalogue(dir: string, models: readonly Model[]): void {
  writePublicFile(cataloguePath(dir), JSON.stringify(catalogueSchema.parse(models)));
}

export function cataloguePath(dir: string): string {
  return join(dir, "catalogue.json");
}
