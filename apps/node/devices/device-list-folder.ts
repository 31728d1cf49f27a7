/**
 * The chain of device lists on disk, as every process that depends on it follows it for itself.
 *
 * The keeper alone writes `NNNNNNNN.list`; root writes `genesis`, the hash of the first list. A
 * reader verifies each list against the one before and never goes back.
 *
 * @module
 */
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  CryptoError,
  MAX_DOCUMENT_BYTES,
  openFirstDeviceList,
  openNextDeviceList,
  type VerifiedDeviceList,
} from "@phantoma/crypto";
import { readPublicFile, writePublicFile } from "../setup/public-file.ts";

export const GENESIS_FILE = "genesis";
/** In each reader's own folder. */
export const SEEN_DEVICES_FILE = "devices-seen";

/** A revocation reaches live sessions within a second; this is the gateway's part of it. */
const POLL_MS = 250;

export class DeviceListFolder {
  readonly #dir: string;
  readonly #seenPath: string | undefined;
  #current: VerifiedDeviceList;
  #currentBytes: Buffer;

  /**
   * Reads the chain from its beginning.
   *
   * @param seenPath the reader's own file: the highest list it ever saw, so that lists taken away or
   * exchanged while it was not running do not bring a revoked device back; absent: a reader that keeps nothing
   * @throws `CryptoError` when the first list is not the pinned one, or the chain ends before what was
   * seen; or the file system's error
   */
  constructor(dir: string, node: Uint8Array, seenPath?: string) {
    this.#dir = dir;
    this.#seenPath = seenPath;
    const pinned = Buffer.from(read(join(dir, GENESIS_FILE)).toString("ascii").trim(), "hex");
    this.#currentBytes = read(listPath(dir, 1));
    this.#current = openFirstDeviceList(this.#currentBytes, node, pinned);
    const seen = this.#seen();
    assertSeen(this.#current, seen);
    this.#follow(seen);
    if (seen && seen.version > this.#current.version)
      notAuthorised(`device list ${seen.version} was seen here and is gone`);
    this.#remember();
  }

  get current(): VerifiedDeviceList {
    return this.#current;
  }

  /** The current list as signed. */
  get currentBytes(): Buffer {
    return this.#currentBytes;
  }

  /** The lists above a version as signed, oldest first, for whoever follows the chain as well. */
  *listsAfter(version: number): Generator<Buffer, void> {
    for (let next = version + 1; next <= this.#current.version; next += 1) {
      const bytes = readIfPresent(listPath(this.#dir, next));
      if (!bytes) return;
      yield bytes;
    }
  }

  /**
   * Verifies the next list and makes it the current one; only the keeper calls this.
   *
   * @throws `CryptoError`; nothing is written then
   */
  add(untrusted: Uint8Array): void {
    const next = openNextDeviceList(untrusted, this.#current);
    writePublicFile(listPath(this.#dir, next.version), untrusted);
    this.#current = next;
    this.#currentBytes = Buffer.from(untrusted);
    this.#remember();
  }

  /**
   * Calls back whenever a newer list has been verified. Returns the way to stop.
   *
   * @param onUnreadable the next list is there and cannot be read, said once: what is in force stays so
   */
  watch(onChange: () => void, onUnreadable: () => void): () => void {
    let isReadable = true;
    const poll = setInterval(() => {
      const before = this.#current;
      try {
        this.#follow();
        isReadable = true;
      } catch {
        if (isReadable) onUnreadable();
        isReadable = false;
      }
      if (this.#current === before) return;
      onChange();
      this.#remember();
    }, POLL_MS);
    return () => clearInterval(poll);
  }

  #seen(): SeenList | undefined {
    if (this.#seenPath === undefined) return undefined;
    const [version, hash] = readIfPresent(this.#seenPath)?.toString("ascii").split(" ") ?? [];
    return version && hash ? { version: Number(version), hash } : undefined;
  }

  /** Where it cannot be written (a full disk), what is in force stays in force all the same. */
  #remember(): void {
    if (this.#seenPath === undefined) return;
    const { version, hash } = this.#current;
    try {
      writeFileSync(`${this.#seenPath}.new`, `${version} ${hex(hash)}`, { flush: true });
      renameSync(`${this.#seenPath}.new`, this.#seenPath);
    } catch {
      return;
    }
  }

  /** Takes every list that continues the chain; whatever does not is as if it were not there. */
  #follow(seen?: SeenList): void {
    for (;;) {
      const bytes = readIfPresent(listPath(this.#dir, this.#current.version + 1));
      if (!bytes) return;
      try {
        this.#current = openNextDeviceList(bytes, this.#current);
      } catch {
        return;
      }
      assertSeen(this.#current, seen);
      this.#currentBytes = bytes;
    }
  }
}

interface SeenList {
  readonly version: number;
  readonly hash: string;
}

/** Another list in the place of one that was seen is a chain that was bent since. */
function assertSeen(list: VerifiedDeviceList, seen: SeenList | undefined): void {
  if (seen?.version === list.version && seen.hash !== hex(list.hash))
    notAuthorised(`device list ${seen.version} is not the one that was seen here`);
}

export function listPath(dir: string, version: number): string {
  return join(dir, `${String(version).padStart(8, "0")}.list`);
}

/** The folder is the keeper's, and root reads it too. */
function read(path: string): Buffer {
  return readPublicFile(path, MAX_DOCUMENT_BYTES);
}

/** One that is there and cannot be read is not "none": a revocation may stand in it. */
function readIfPresent(path: string): Buffer | undefined {
  try {
    return read(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function notAuthorised(message: string): never {
  throw new CryptoError("ERR_NOT_AUTHORISED", message);
}
