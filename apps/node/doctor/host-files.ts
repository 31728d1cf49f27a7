/**
 * The machine's own files, read a bounded piece at a time below a root that a test can move.
 *
 * @module
 */
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";

/** Bytes: an sshd_config with all its comments has four thousand. */
export const MAX_HOST_FILE_BYTES = 64 * 1024;
/** Names in a folder: a machine that kept every kernel for twenty years has fewer. */
export const MAX_FOLDER_NAMES = 1_000;

/** Something could not be read; the message says what, in a few words. */
export class Unreadable extends Error {
  /** It is not there at all, which can be an answer as well. */
  readonly isAbsent: boolean;

  constructor(what: string, isAbsent = false) {
    super(what);
    this.isAbsent = isAbsent;
  }
}

export class HostFiles {
  readonly #root: string;

  constructor(root = "/") {
    this.#root = root;
  }

  /** @throws {@link Unreadable} */
  read(path: string): string {
    const file = open(join(this.#root, path), path);
    try {
      if (!fstatSync(file).isFile()) throw new Unreadable(`${path} is no file`);
      // What lies in /proc has no size before it is read.
      const bytes = Buffer.alloc(MAX_HOST_FILE_BYTES + 1);
      let length = 0;
      for (let part = -1; part !== 0 && length < bytes.length; length += part)
        part = readSync(file, bytes, length, bytes.length - length, null);
      if (length > MAX_HOST_FILE_BYTES) throw new Unreadable(`${path} is too long`);
      return bytes.toString("utf8", 0, length);
    } catch (error) {
      throw unreadable(error, path);
    } finally {
      closeSync(file);
    }
  }

  /** `undefined` where there is no such file. @throws {@link Unreadable} */
  readIfThere(path: string): string | undefined {
    return ifThere(() => this.read(path));
  }

  /** Names in a folder, in order; none where there is no such folder. @throws {@link Unreadable} */
  list(path: string): readonly string[] {
    const names = ifThere(() => {
      try {
        return readdirSync(join(this.#root, path));
      } catch (error) {
        throw unreadable(error, path);
      }
    });
    if (names === undefined) return [];
    if (names.length > MAX_FOLDER_NAMES) throw new Unreadable(`${path} has too many names`);
    return names.toSorted();
  }
}

function open(hostPath: string, path: string): number {
  try {
    // A pipe in the place of a file must not keep us waiting.
    return openSync(hostPath, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw unreadable(error, path);
  }
}

function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Unreadable && error.isAbsent) return undefined;
    throw error;
  }
}

function unreadable(error: unknown, path: string): Unreadable {
  if (error instanceof Unreadable) return error;
  const { code = "unknown error" } = error as NodeJS.ErrnoException;
  const isAbsent = code === "ENOENT" || code === "ENOTDIR";
  return new Unreadable(isAbsent ? `no ${path}` : `${path}: ${code}`, isAbsent);
}
