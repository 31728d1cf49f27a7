/**
 * The keys that programs show to the endpoint: one file each, readable by this user only.
 *
 *   DIR/NAME   0600, one line: `pk-` and 256 random bits in base64url
 *
 * A key has a name so that programs are told apart: what one said is never in a worker of another.
 *
 * @module
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ClientError } from "@phantoma/client";

/** Of a file, and so a plain one. */
const KEY_NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;
const KEY = /^pk-[A-Za-z0-9_-]{43}$/;
/** Nobody guesses this many bytes. */
const KEY_BYTES = 32;
/** Group and others may do nothing with a key. */
const NOT_OURS_ALONE = 0o077;
/** A request is compared with each of them; more programs than this are none of one person's. */
const MAX_KEYS = 256;

/** The name of the key that is made where there is none. */
export const DEFAULT_KEY = "default";

export class ApiKeys {
  readonly #digests: readonly { readonly name: string; readonly digest: Buffer }[];

  private constructor(keys: ReadonlyMap<string, string>) {
    this.#digests = [...keys].map(([name, key]) => ({ name, digest: digestOf(key) }));
  }

  /**
   * Reads all keys; makes one named `default` where there is none.
   *
   * @throws {@link ClientError} `ERR_PROFILE` where a file is not a key, or not ours alone
   */
  static open(dir: string): ApiKeys {
    if (ApiKeys.names(dir).length === 0) ApiKeys.add(dir, DEFAULT_KEY);
    return new ApiKeys(new Map(ApiKeys.names(dir).map((name) => [name, readKey(dir, name)])));
  }

  static names(dir: string): string[] {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    return readdirSync(dir)
      .filter((name) => KEY_NAME.test(name))
      .toSorted();
  }

  /** @throws {@link ClientError} `ERR_PROFILE` where the file is not a key, or not ours alone */
  static read(dir: string, name: string): string {
    return readKey(dir, name);
  }

  /** Makes a key. @returns its file */
  static add(dir: string, name: string): string {
    assertName(name);
    if (ApiKeys.names(dir).length >= MAX_KEYS)
      throw new ClientError("ERR_LIMIT", `there are ${MAX_KEYS} keys already`);
    const path = join(dir, name);
    try {
      const key = `pk-${randomBytes(KEY_BYTES).toString("base64url")}\n`;
      writeFileSync(path, key, { mode: 0o600, flag: "wx", flush: true });
    } catch {
      throw new ClientError("ERR_PROFILE", `${path} cannot be made; perhaps it is there already`);
    }
    return path;
  }

  static remove(dir: string, name: string): void {
    assertName(name);
    rmSync(join(dir, name), { force: true });
  }

  /** The name of this key; every key is compared, each in a time that tells nothing. */
  nameOf(untrusted: string): string | undefined {
    const digest = digestOf(untrusted);
    let found: string | undefined;
    for (const key of this.#digests) if (timingSafeEqual(key.digest, digest)) found = key.name;
    return found;
  }
}

function readKey(dir: string, name: string): string {
  const path = join(dir, name);
  // Windows has no such modes; there the folder's own rights count.
  if (process.platform !== "win32" && (statSync(path).mode & NOT_OURS_ALONE) !== 0)
    throw new ClientError("ERR_PROFILE", `other users may read ${path}: delete it, start again`);
  const key = readFileSync(path, "utf8").trimEnd();
  if (!KEY.test(key)) throw new ClientError("ERR_PROFILE", `${path} is not a key`);
  return key;
}

function assertName(name: string): void {
  if (!KEY_NAME.test(name))
    throw new ClientError("ERR_PROFILE", "a key's name has small letters, digits and dashes");
}

/** Of one length, whatever was sent. */
function digestOf(key: string): Buffer {
  return createHash("sha256").update(key, "utf8").digest();
}
