/**
 * The folder that the installer is given a release in. The keeper alone writes there: what the herald has fetched, copied
 * while hashing, or what a device pushes, piece by piece.
 *
 * @module
 */
import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  createReadStream,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
} from "node:fs";
import { appendFile, chmod, open } from "node:fs/promises";
import { basename, join } from "node:path";
import { MAX_HELD_BUNDLES } from "@phantoma/protocol";
import type { KeeperRefusal } from "../ipc/keeper-link.ts";
import {
  bundlesIn,
  isBundlePath,
  isReleasePath,
  MAX_BUNDLE_BYTES,
  releasePaths,
  type HeldBundle,
} from "../orders/update-files.ts";
import { readPublicFile, writePublicFile } from "../setup/public-file.ts";

/** 2 MiB: no file of metadata is longer. */
const MAX_METADATA_BYTES = 2 * 2 ** 20;
/** A release has ten, and a root more for every change of keys. */
export const MAX_FILES = 256;
const NUMBER_BYTES = 8;
/** In the place of a length: there is no such file. */
const NOT_THERE = Buffer.alloc(NUMBER_BYTES, 255);

/** @returns the file's length (8), then up to `maxBytes` of it */
export function readPiece(dir: string, path: string, offset: number, maxBytes: number): Buffer {
  if (!isReleasePath(path)) return NOT_THERE;
  let file: number;
  try {
    file = openPlain(join(dir, path));
  } catch {
    return NOT_THERE;
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) return NOT_THERE;
    const answer = Buffer.alloc(NUMBER_BYTES + maxBytes);
    answer.writeBigUInt64BE(BigInt(stat.size));
    const read = offset < stat.size ? readSync(file, answer, NUMBER_BYTES, maxBytes, offset) : 0;
    return answer.subarray(0, NUMBER_BYTES + read);
  } finally {
    closeSync(file);
  }
}

/**
 * Changes with any byte of the metadata there: who vouches for a release, and whether it is what they vouched for.
 *
 * @throws `ERR_TOO_MANY` before anything is read
 */
export function metadataMark(dir: string): string {
  const hash = createHash("sha256");
  const paths = boundedPaths(dir).filter((one) => one.startsWith("metadata/"));
  for (const path of paths.toSorted())
    try {
      hash.update(path).update(readPublicFile(join(dir, path), MAX_METADATA_BYTES));
    } catch {
      hash.update("unreadable");
    }
  return hash.digest("hex");
}

export class GivenRelease {
  readonly #dir: string;
  /** How long each file that is being pushed will be. */
  readonly #expected = new Map<string, number>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Exactly what lies there, but of bundles only this one; a file that is not what its name says ends it with `ERR_DIGEST`. */
  async takeFrom(dir: string, bundle: HeldBundle): Promise<void> {
    const paths = boundedPaths(dir).filter((path) => path === bundle.path || !isBundlePath(path));
    this.#makeFolders();
    for (const path of releasePaths(this.#dir))
      if (!paths.includes(path)) rmSync(join(this.#dir, path), { force: true });
    for (const path of paths) {
      if (path.startsWith("metadata/"))
        writePublicFile(this.#pathOf(path), readPublicFile(join(dir, path), MAX_METADATA_BYTES));
      // What has its digest's name here was hashed when it came.
      else if (!existsSync(this.#pathOf(path)))
        await copyHashed(join(dir, path), this.#pathOf(path));
    }
  }

  /** @returns how much of it is here */
  async begin(path: string, bytes: number): Promise<number | KeeperRefusal> {
    if (!isReleasePath(path) || bytes > longestOf(path)) return "ERR_MALFORMED";
    this.#makeFolders();
    const target = this.#pathOf(path);
    if (path.startsWith("targets/") && sizeOf(target) === bytes) return bytes;
    if (releasePaths(this.#dir).length >= MAX_FILES) this.#clear();
    const part = `${target}.part`;
    if (path.startsWith("metadata/") || sizeOf(part) >= bytes) rmSync(part, { force: true });
    this.#expected.set(path, bytes);
    return sizeOf(part);
  }

  /** One that does not begin at the end changes nothing. @returns how much of it is here now */
  async chunk(path: string, offset: number, bytes: Uint8Array): Promise<number | KeeperRefusal> {
    const whole = this.#expected.get(path);
    if (whole === undefined) return "ERR_UPDATE_UNKNOWN";
    const target = this.#pathOf(path);
    const part = `${target}.part`;
    const has = sizeOf(part);
    if (offset !== has) return has;
    if (offset + bytes.length > whole) return "ERR_MALFORMED";
    await appendFile(part, bytes, { mode: 0o600 });
    if (offset + bytes.length < whole) return offset + bytes.length;
    this.#expected.delete(path);
    if (path.startsWith("targets/") && !(await isNamedByDigest(part, path))) {
      rmSync(part, { force: true });
      return "ERR_DIGEST";
    }
    if (isBundlePath(path)) this.#makeRoom();
    await settle(part, target);
    return whole;
  }

  /** For one more bundle. */
  #makeRoom(): void {
    const held = bundlesIn(this.#dir).toSorted((a, b) => b.cameAt - a.cameAt);
    for (const { path } of held.slice(MAX_HELD_BUNDLES - 1))
      rmSync(this.#pathOf(path), { force: true });
  }

  #pathOf(path: string): string {
    return join(this.#dir, path);
  }

  #makeFolders(): void {
    for (const name of ["metadata", "targets"])
      mkdirSync(join(this.#dir, name), { recursive: true, mode: 0o755 });
  }

  #clear(): void {
    for (const name of ["metadata", "targets"])
      rmSync(join(this.#dir, name), { recursive: true, force: true });
    this.#makeFolders();
  }
}

function boundedPaths(dir: string): string[] {
  const paths = releasePaths(dir);
  if (paths.length > MAX_FILES) throw failure("ERR_TOO_MANY");
  return paths;
}

function longestOf(path: string): number {
  return path.startsWith("metadata/") ? MAX_METADATA_BYTES : MAX_BUNDLE_BYTES;
}

async function copyHashed(from: string, to: string): Promise<void> {
  const part = `${to}.part`;
  const source = openPlain(from);
  const hash = createHash("sha256");
  let length = 0;
  try {
    await using copy = await open(part, "w", 0o600);
    for await (const piece of createReadStream(from, { fd: source, autoClose: false })) {
      length += (piece as Buffer).length;
      if (length > MAX_BUNDLE_BYTES) throw failure("ERR_TOO_LONG");
      hash.update(piece as Buffer);
      await copy.writeFile(piece as Buffer);
    }
    if (hash.digest("hex") !== digestIn(to)) throw failure("ERR_DIGEST");
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  } finally {
    closeSync(source);
  }
  await settle(part, to);
}

async function isNamedByDigest(file: string, path: string): Promise<boolean> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(file)) hash.update(piece as Buffer);
  return hash.digest("hex") === digestIn(path);
}

/** On the disk, and everybody's to read, before it has its name. */
async function settle(part: string, target: string): Promise<void> {
  await using file = await open(part, "r");
  await file.sync();
  await chmod(part, 0o644);
  renameSync(part, target);
}

function digestIn(path: string): string {
  return basename(path).slice(0, 64);
}

/** Whoever else writes there may have laid a link, or a pipe that nobody ever writes to. */
function openPlain(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
}

function sizeOf(path: string): number {
  return lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function failure(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code });
}
