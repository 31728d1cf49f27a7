/**
 * Models that an admin's device pushes: pieces in order, going on after a cut, hashed as they come, and
 * in the store only when all of it is what its digest says.
 *
 *   begin ──> (chunk)* ──last──> stored, or dropped with ERR_DIGEST
 *
 * @module
 */
import { createHash, type Hash } from "node:crypto";
import { createReadStream, mkdirSync, readdirSync, renameSync, statSync } from "node:fs";
import { open, rm, stat, statfs, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { Model } from "@phantoma/protocol";
import {
  listModel,
  readCatalogue,
  storeFaultOf,
  storeModel,
  STORED_MODE,
} from "../models/model-store.ts";
import type { KeeperRefusal } from "../ipc/keeper-link.ts";

/** Unfinished models at once: each may be as large as the disk, and nobody pushes many. */
export const MAX_PARTS = 4;
/** One that nobody went on with for so long makes room for another, in milliseconds. */
const STALE_PART_MS = 60 * 60_000;

interface Part {
  readonly model: Model;
  readonly path: string;
  readonly file: FileHandle;
  readonly hash: Hash;
  offset: number;
}

/** How many bytes of the model are here; all of them: it is stored. */
type Pushed = number | KeeperRefusal;

export class PushedModels {
  readonly #dir: string;
  readonly #modelsDir: string;
  readonly #parts = new Map<string, Part>();
  readonly #turns = new Map<string, Promise<unknown>>();

  /** @param dir the keeper's own folder */
  constructor(dir: string, modelsDir: string) {
    this.#dir = dir;
    this.#modelsDir = modelsDir;
  }

  begin(model: Model): Promise<Pushed> {
    return this.#inTurn(model.digest, () => this.#begin(model));
  }

  /** One that does not begin at the end changes nothing. */
  chunk(digest: string, offset: number, bytes: Buffer): Promise<Pushed> {
    return this.#inTurn(digest, async () => {
      const part = this.#parts.get(digest);
      if (!part) return this.#isStored(digest) ? offset + bytes.length : "ERR_MODEL_UNKNOWN";
      if (offset !== part.offset) return part.offset;
      if (offset + bytes.length > part.model.bytes) return "ERR_MALFORMED";
      try {
        await append(part, bytes);
        return part.offset < part.model.bytes ? part.offset : await this.#finish(part);
      } catch (error) {
        await this.#drop(part);
        return faultOf(error);
      }
    });
  }

  async close(): Promise<void> {
    for (const { file } of this.#parts.values()) await file.close().catch(() => undefined);
    this.#parts.clear();
  }

  async #begin(model: Model): Promise<Pushed> {
    if (this.#isStored(model.digest)) return model.bytes;
    const open = this.#parts.get(model.digest);
    if (open && open.model.bytes !== model.bytes) await this.#drop(open);
    else if (open) return open.offset;
    try {
      mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
      if (!(await this.#makeRoom(model.digest))) return "ERR_BUSY";
      const part = await openPart(this.#dir, model);
      this.#parts.set(model.digest, part);
      const { bavail, bsize } = await statfs(this.#dir);
      if (bavail * bsize >= model.bytes - part.offset) return part.offset;
      await this.#drop(part);
      return "ERR_NO_SPACE";
    } catch (error) {
      return faultOf(error);
    }
  }

  async #finish(part: Part): Promise<Pushed> {
    const { model, path } = part;
    if (part.hash.digest("hex") !== model.digest) {
      await this.#drop(part);
      return "ERR_DIGEST";
    }
    await part.file.chmod(STORED_MODE);
    await part.file.sync();
    const target = join(this.#modelsDir, `${model.digest}.gguf`);
    try {
      renameSync(path, target);
      listModel(this.#modelsDir, model);
    } catch (error) {
      // Two mounts, as a sandbox may make of one disk.
      if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
      await storeModel(this.#modelsDir, path, model);
    }
    await this.#drop(part);
    return model.bytes;
  }

  async #drop(part: Part): Promise<void> {
    this.#parts.delete(part.model.digest);
    await part.file.close().catch(() => undefined);
    await rm(part.path, { force: true });
  }

  /** Whether there is a place for this part; an old one that nobody goes on with gives way. */
  async #makeRoom(digest: string): Promise<boolean> {
    const others = readdirSync(this.#dir)
      .filter((name) => name !== `${digest}.part`)
      .map((name) => ({ name, at: statSync(join(this.#dir, name)).mtimeMs }))
      .toSorted((a, b) => a.at - b.at);
    if (others.length < MAX_PARTS) return true;
    const [oldest] = others;
    if (!oldest || oldest.at > Date.now() - STALE_PART_MS) return false;
    const part = this.#parts.get(oldest.name.replace(/\.part$/, ""));
    if (part) await this.#drop(part);
    else await rm(join(this.#dir, oldest.name), { force: true });
    return true;
  }

  #isStored(wanted: string): boolean {
    return readCatalogue(this.#modelsDir).some(({ digest }) => digest === wanted);
  }

  /** Two devices may push the same model: they take turns, piece by piece. */
  #inTurn<T>(digest: string, act: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(digest) ?? Promise.resolve()).then(act);
    const settled = turn.then(
      () => undefined,
      () => undefined,
    );
    this.#turns.set(digest, settled);
    void settled.then(() => {
      if (this.#turns.get(digest) === settled) this.#turns.delete(digest);
    });
    return turn;
  }
}

/** Goes on with what lies there, hashed again: it may have been written before this process began. */
async function openPart(dir: string, model: Model): Promise<Part> {
  const path = join(dir, `${model.digest}.part`);
  const hash = createHash("sha256");
  let offset = await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
  // A whole one was never found right: it begins anew, like one that is too long.
  if (offset >= model.bytes) offset = 0;
  if (offset === 0) await rm(path, { force: true });
  if (offset > 0) for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  const file = await open(path, offset > 0 ? "a" : "w", 0o600);
  return { model, path, file, hash, offset };
}

async function append(part: Part, bytes: Buffer): Promise<void> {
  await part.file.appendFile(bytes);
  part.hash.update(bytes);
  part.offset += bytes.length;
}

function faultOf(error: unknown): KeeperRefusal {
  return storeFaultOf(error) === "ERR_NO_SPACE" ? "ERR_NO_SPACE" : "ERR_STORAGE";
}
