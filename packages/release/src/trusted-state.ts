/**
 * What this machine has seen and verified: the newest metadata and the newest time. It only grows.
 *
 * The folder is its owner's alone; whoever can write it can forget what was seen.
 *
 * @module
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ReleaseError } from "./release-error.ts";

export type Remembered = "root.json" | "timestamp.json" | "snapshot.json" | "targets.json";

export class TrustedState {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  read(name: Remembered): Buffer | undefined {
    return this.#read(name);
  }

  write(name: Remembered, bytes: Uint8Array): void {
    this.#write(name, bytes);
  }

  /** After the keys of these were replaced, their thief's version numbers must not bind anybody. */
  forget(...names: readonly Remembered[]): void {
    for (const name of names) rmSync(join(this.#dir, name), { force: true });
  }

  /** The newest time at which a release was found good here, or was signed, in milliseconds since 1970. */
  get newestTimeMs(): number {
    const text = this.#read("newest-time")?.toString("latin1") ?? "0";
    if (!/^\d{1,15}$/.test(text))
      throw new ReleaseError("ERR_STATE", "the newest time is unreadable");
    return Number(text);
  }

  sawTime(timeMs: number): void {
    if (timeMs > this.newestTimeMs)
      this.#write("newest-time", Buffer.from(String(timeMs), "latin1"));
  }

  #read(name: string): Buffer | undefined {
    try {
      return readFileSync(join(this.#dir, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw new ReleaseError("ERR_STATE", `${join(this.#dir, name)} cannot be read`);
    }
  }

  /** In one step: after a power cut there is the old one or the new one. */
  #write(name: string, bytes: Uint8Array): void {
    const path = join(this.#dir, name);
    try {
      mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
      writeFileSync(`${path}.new`, bytes, { mode: 0o600, flush: true });
      renameSync(`${path}.new`, path);
    } catch {
      throw new ReleaseError("ERR_STATE", `${path} cannot be written`);
    }
  }
}
