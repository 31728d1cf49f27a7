/**
 * One vault on the node's disk: sealed objects by their hash, and one file that says which of them count.
 *
 *   DIR/state             newest head, its epoch's wraps, who left since, and a row for each object; replaced as a whole
 *   DIR/heads/NNNNNNNNNN  the heads before, each as signed; the last ones
 *   DIR/epochs/NNNNNNNNNN every epoch as signed
 *   DIR/objects/HASH      sealed bytes
 *
 * All that a commit needs is written before the state that names it: after a crash there is the old vault or the new
 * one. What no state names is removed at the next start.
 *
 * @module
 */
import {
  decodeVaultRows,
  encodeVaultRow,
  VAULT_ROW_BYTES,
  vaultHeadDocument,
  type VaultHead,
  type VaultRow,
} from "@phantoma/crypto";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { open, readFile, rename, rm, stat, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { framed, unframed } from "./framed.ts";

/** A device that was away for longer sees that history is missing; 250 bytes each. */
export const MAX_KEPT_HEADS = 4096;
/** Devices that came or went; all of them stay, up to 1,500 bytes each. */
export const MAX_EPOCHS = 4096;

export interface StoredRow extends VaultRow {
  /** In which version it last changed. */
  readonly changedIn: number;
}

export interface NextVersion {
  readonly head: Uint8Array;
  /** A new one, with its number. */
  readonly epoch: { readonly number: number; readonly document: Uint8Array } | undefined;
  readonly wraps: Uint8Array;
  /** Members of its epoch that left, by their keys, one after the other. */
  readonly left: Uint8Array;
  readonly rows: ReadonlyMap<string, StoredRow>;
}

export class VaultFolder {
  readonly #dir: string;
  #head: Uint8Array | undefined;
  #opened: VaultHead | undefined;
  #wraps: Uint8Array = new Uint8Array(0);
  #left: Uint8Array = new Uint8Array(0);
  #rows: ReadonlyMap<string, StoredRow> = new Map();
  /** Stored sealed bytes by hash, also those that no row names yet. */
  readonly #sizes = new Map<string, number>();
  /** Of the state and of what was signed, by the path below this folder. */
  readonly #documentSizes = new Map<string, number>();
  #usedBytes = 0;

  constructor(dir: string) {
    this.#dir = dir;
    for (const part of ["heads", "epochs", "objects"])
      mkdirSync(join(dir, part), { recursive: true, mode: 0o700 });
    this.#read();
  }

  /** As signed; `undefined` before the first commit. */
  get head(): Uint8Array | undefined {
    return this.#head;
  }

  get opened(): VaultHead | undefined {
    return this.#opened;
  }

  get wraps(): Uint8Array {
    return this.#wraps;
  }

  get left(): Uint8Array {
    return this.#left;
  }

  get rows(): ReadonlyMap<string, StoredRow> {
    return this.#rows;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  has(hash: string): boolean {
    return this.#sizes.has(hash);
  }

  size(hash: string): number {
    return this.#sizes.get(hash) ?? 0;
  }

  async put(blob: Uint8Array): Promise<void> {
    const hash = createHash("sha256").update(blob).digest("hex");
    if (this.#sizes.has(hash)) return;
    await replace(this.#object(hash), blob);
    this.#count(hash, blob.length);
  }

  get(hash: string): Promise<Buffer> {
    return readFile(this.#object(hash));
  }

  /** Documents after a number, as many as fit into `maxBytes`. */
  documents(of: "heads" | "epochs", after: number, maxBytes: number): Buffer[] {
    const found: Buffer[] = [];
    let bytes = 0;
    const last = of === "heads" ? this.#opened!.version : this.#opened!.epoch;
    for (const name of readdirSync(join(this.#dir, of)).toSorted()) {
      if (Number(name) <= after || Number(name) > last) continue;
      const document = readFileSync(join(this.#dir, of, name));
      bytes += document.length + 4;
      if (bytes > maxBytes) break;
      found.push(document);
    }
    return found;
  }

  epoch(number: number): Buffer {
    return readFileSync(join(this.#dir, "epochs", fileOf(number)));
  }

  /** All of it or nothing; then what is no longer named is overwritten and removed. */
  async commit({ head, epoch, wraps, left, rows }: NextVersion): Promise<void> {
    const opened = vaultHeadDocument.open(head, ({ signer }) => signer);
    if (epoch) await this.#keep(join("epochs", fileOf(epoch.number)), epoch.document);
    await this.#keep(join("heads", fileOf(opened.version)), head);
    await this.#keep("state", encodeState(head, wraps, left, rows));
    const before = this.#rows;
    this.#head = head;
    this.#opened = opened;
    this.#wraps = wraps;
    this.#left = left;
    this.#rows = rows;
    const named = new Set([...rows.values()].map(({ hash }) => hash));
    for (const { hash } of before.values()) if (!named.has(hash)) await this.#erase(hash);
    const oldest = join("heads", fileOf(opened.version - MAX_KEPT_HEADS));
    await rm(join(this.#dir, oldest), { force: true });
    this.#countDocument(oldest, 0);
  }

  /** A member of the newest epoch has it no more. */
  async markLeft(device: Uint8Array): Promise<void> {
    const left = Buffer.concat([this.#left, device]);
    await this.#keep("state", encodeState(this.#head!, this.#wraps, left, this.#rows));
    this.#left = new Uint8Array(left);
  }

  /** What nobody committed. */
  async dropUnnamed(): Promise<void> {
    const named = new Set([...this.#rows.values()].map(({ hash }) => hash));
    for (const hash of this.#sizes.keys()) if (!named.has(hash)) await this.#erase(hash);
  }

  async remove(): Promise<void> {
    for (const hash of this.#sizes.keys()) await this.#erase(hash);
    await rm(this.#dir, { recursive: true });
  }

  #read(): void {
    const stored = readIfPresent(join(this.#dir, "state"));
    if (stored) this.#take(stored);
    this.#countDocument("state", stored?.length ?? 0);
    for (const kind of ["heads", "epochs"])
      for (const name of readdirSync(join(this.#dir, kind)))
        this.#countDocument(join(kind, name), statSync(join(this.#dir, kind, name)).size);
    const named = new Set([...this.#rows.values()].map(({ hash }) => hash));
    for (const name of readdirSync(join(this.#dir, "objects"))) {
      const path = join(this.#dir, "objects", name);
      if (named.has(name)) this.#count(name, statSync(path).size);
      else rmSync(path);
    }
  }

  #take(stored: Buffer): void {
    const { parts, rest } = unframed(stored, 3)!;
    this.#head = new Uint8Array(parts[0]!);
    this.#opened = vaultHeadDocument.open(this.#head, ({ signer }) => signer);
    this.#wraps = new Uint8Array(parts[1]!);
    this.#left = new Uint8Array(parts[2]!);
    const rows = new Map<string, StoredRow>();
    for (let at = 0; at < rest.length; at += VAULT_ROW_BYTES + 4) {
      const [row] = decodeVaultRows(rest.subarray(at, at + VAULT_ROW_BYTES));
      rows.set(row!.object, { ...row!, changedIn: rest.readUInt32BE(at + VAULT_ROW_BYTES) });
    }
    this.#rows = rows;
  }

  /** The object's key is in its first bytes: overwritten, the rest can be opened by nobody. */
  async #erase(hash: string): Promise<void> {
    const path = this.#object(hash);
    this.#usedBytes -= this.size(hash);
    this.#sizes.delete(hash);
    const file = await open(path, "r+").catch(() => undefined);
    if (!file) return;
    try {
      await file.write(Buffer.alloc((await stat(path)).size), 0);
      await file.datasync();
    } finally {
      await file.close();
    }
    await unlink(path);
  }

  async #keep(path: string, document: Uint8Array): Promise<void> {
    await replace(join(this.#dir, path), document);
    this.#countDocument(path, document.length);
  }

  #countDocument(path: string, bytes: number): void {
    this.#usedBytes += bytes - (this.#documentSizes.get(path) ?? 0);
    this.#documentSizes.set(path, bytes);
    if (bytes === 0) this.#documentSizes.delete(path);
  }

  #count(hash: string, bytes: number): void {
    this.#sizes.set(hash, bytes);
    this.#usedBytes += bytes;
  }

  #object(hash: string): string {
    return join(this.#dir, "objects", hash);
  }
}

function encodeState(
  head: Uint8Array,
  wraps: Uint8Array,
  left: Uint8Array,
  rows: ReadonlyMap<string, StoredRow>,
): Buffer {
  const listed = [...rows.values()].map((row) => {
    const changedIn = Buffer.alloc(4);
    changedIn.writeUInt32BE(row.changedIn);
    return Buffer.concat([encodeVaultRow(row), changedIn]);
  });
  return Buffer.concat([framed([head, wraps, left]), ...listed]);
}

function fileOf(number: number): string {
  return String(number).padStart(10, "0");
}

async function replace(path: string, bytes: Uint8Array): Promise<void> {
  await writeFile(`${path}.new`, bytes, { mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
}

function readIfPresent(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
