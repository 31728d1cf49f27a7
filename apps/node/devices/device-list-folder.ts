/**
 * The chain of device lists on disk, as every process that depends on it follows it for itself.
 *
 * The keeper alone writes `NNNNNNNN.list`; root writes `genesis`, the hash of the first list. A
 * reader verifies each list against the one before and never goes back.
 *
 * @module
 */
import { readFileSync, renameSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  CryptoError,
  openFirstDeviceList,
  openNextDeviceList,
  type VerifiedDeviceList,
} from "@phantoma/crypto";

export const GENESIS_FILE = "genesis";
/** In each reader's own folder. */
export const SEEN_DEVICES_FILE = "devices-seen";

/** A missed notification must not let a revoked device live on. */
const POLL_MS = 250;

export class DeviceListFolder {
  readonly #dir: string;
  readonly #seenPath: string;
  #current: VerifiedDeviceList;
  #currentBytes: Buffer;

  /**
   * Reads the chain from its beginning.
   *
   * @param seenPath the reader's own file: the highest version it ever saw, so that lists taken away
   * while it was not running do not bring a revoked device back
   * @throws `CryptoError` when the first list is not the pinned one, or the chain ends before what was
   * seen; or the file system's error
   */
  constructor(dir: string, node: Uint8Array, seenPath: string) {
    this.#dir = dir;
    this.#seenPath = seenPath;
    const pinned = Buffer.from(readFileSync(join(dir, GENESIS_FILE), "ascii").trim(), "hex");
    this.#currentBytes = readFileSync(listPath(dir, 1));
    this.#current = openFirstDeviceList(this.#currentBytes, node, pinned);
    this.#follow();
    this.#assertNotOlder();
    this.#remember();
  }

  get current(): VerifiedDeviceList {
    return this.#current;
  }

  /** The current list as signed. */
  get currentBytes(): Buffer {
    return this.#currentBytes;
  }

  /**
   * Verifies the next list and makes it the current one; only the keeper calls this.
   *
   * @throws `CryptoError`; nothing is written then
   */
  add(untrusted: Uint8Array): void {
    const next = openNextDeviceList(untrusted, this.#current);
    const path = listPath(this.#dir, next.version);
    writeFileSync(`${path}.new`, untrusted, { mode: 0o644, flush: true });
    renameSync(`${path}.new`, path);
    this.#current = next;
    this.#currentBytes = Buffer.from(untrusted);
    this.#remember();
  }

  /** Calls back whenever a newer list has been verified. Returns the way to stop. */
  watch(onChange: () => void): () => void {
    const look = () => {
      if (!this.#follow()) return;
      this.#remember();
      onChange();
    };
    // Where watching fails, looking goes on.
    const watcher = watch(this.#dir, look).on("error", () => undefined);
    const poll = setInterval(look, POLL_MS);
    return () => {
      watcher.close();
      clearInterval(poll);
    };
  }

  #assertNotOlder(): void {
    const seen = readIfPresent(this.#seenPath)?.toString("ascii");
    if (seen === undefined || Number(seen) <= this.#current.version) return;
    throw new CryptoError("ERR_NOT_AUTHORISED", `device list ${seen} was seen here and is gone`);
  }

  #remember(): void {
    writeFileSync(`${this.#seenPath}.new`, String(this.#current.version), { flush: true });
    renameSync(`${this.#seenPath}.new`, this.#seenPath);
  }

  /** Takes every list that continues the chain; whatever does not is as if it were not there. */
  #follow(): boolean {
    let moved = false;
    for (;;) {
      const bytes = readIfPresent(listPath(this.#dir, this.#current.version + 1));
      if (!bytes) return moved;
      try {
        this.#current = openNextDeviceList(bytes, this.#current);
      } catch {
        return moved;
      }
      this.#currentBytes = bytes;
      moved = true;
    }
  }
}

export function listPath(dir: string, version: number): string {
  return join(dir, `${String(version).padStart(8, "0")}.list`);
}

function readIfPresent(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
