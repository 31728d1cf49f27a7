/**
 * Every change that the installer makes to the disk, one call each, and each durable before the next begins:
 * what a power cut finds is what lies between two of these.
 *
 * @module
 */
import {
  chmodSync,
  closeSync,
  fchmodSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";

/** Told after every call, by tests that cut the power there. */
export type OnStep = (call: string, path: string) => void;

export class Disk {
  readonly #onStep: OnStep;

  constructor(onStep: OnStep = () => undefined) {
    this.#onStep = onStep;
  }

  /** A folder that everybody may read and only its owner may change; one that is there stays. */
  makeDir(path: string): void {
    if (mkdirSync(path, { recursive: true }) === undefined) return;
    // Whatever the mask says.
    chmodSync(path, 0o755);
    this.#done("make", path);
  }

  /** A file that was not there before, whole and on the disk when this returns. */
  async writeNew(
    path: string,
    content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    mode: number,
  ): Promise<void> {
    // Exclusive: a link that somebody laid there is an error, not a way out of the folder.
    const file = openSync(path, "wx", 0o600);
    try {
      this.#done("create", path);
      for await (const chunk of content) {
        for (let at = 0; at < chunk.length;) at += writeSync(file, chunk, at);
        this.#done("write", path);
      }
      // Whatever the mask says.
      fchmodSync(file, mode);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    this.#done("flush", path);
  }

  /** Replaces a small file as a whole. */
  async replace(path: string, text: string, mode = 0o600): Promise<void> {
    const fresh = `${path}.new`;
    this.remove(fresh);
    await this.writeNew(fresh, [Buffer.from(text)], mode);
    this.rename(fresh, path);
  }

  rename(from: string, to: string): void {
    renameSync(from, to);
    this.#done("rename", to);
    this.flushDir(dirname(to));
  }

  /** Points a link to another place, in one rename. */
  relink(path: string, target: string): void {
    const fresh = `${path}.new`;
    this.remove(fresh);
    symlinkSync(target, fresh);
    this.#done("link", fresh);
    this.rename(fresh, path);
  }

  /** A file, a link or a whole folder; nothing where there is nothing. */
  remove(path: string): void {
    rmSync(path, { recursive: true, force: true });
    this.#done("remove", path);
  }

  /** The names in a folder. */
  flushDir(path: string): void {
    const folder = openSync(path, "r");
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
    this.#done("flush", path);
  }

  #done(call: string, path: string): void {
    this.#onStep(call, path);
  }
}
