/**
 * The models of a node on disk: `<sha256>.gguf`, content-addressed, and `catalogue.json` with names.
 *
 * Only set-up and the keeper write here; gateway and workers read.
 *
 * @module
 */
import { createHash } from "node:crypto";
import {
  createReadStream,
  createWriteStream,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { modelSchema, type Model } from "@phantoma/protocol";
import { z } from "zod";

const catalogueSchema = z.array(modelSchema).max(1000);

/** @throws when the catalogue is not what this version writes */
export function readCatalogue(dir: string): Model[] {
  return catalogueSchema.parse(JSON.parse(readFileSync(cataloguePath(dir), "utf8")));
}

/** Copies a model in while hashing it, and lists it. Adding the same file again changes nothing. */
export async function addModel(dir: string, sourcePath: string, name: string): Promise<Model> {
  // Before the copy: a name that readers refuse must not reach the catalogue.
  modelSchema.shape.name.parse(name);
  const incoming = join(dir, `incoming-${process.pid}.gguf`);
  const hash = createHash("sha256");
  let bytes = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  try {
    await pipeline(createReadStream(sourcePath), measure, createWriteStream(incoming));
  } catch (error) {
    await rm(incoming, { force: true });
    throw error;
  }
  const model = { name, digest: hash.digest("hex"), bytes };
  renameSync(incoming, join(dir, `${model.digest}.gguf`));
  const others = readCatalogue(dir).filter(({ digest }) => digest !== model.digest);
  writeCatalogue(dir, [...others, model]);
  return model;
}

export function writeCatalogue(dir: string, models: readonly Model[]): void {
  const path = cataloguePath(dir);
  writeFileSync(`${path}.new`, JSON.stringify(catalogueSchema.parse(models)), { flush: true });
  renameSync(`${path}.new`, path);
}

function cataloguePath(dir: string): string {
  return join(dir, "catalogue.json");
}
