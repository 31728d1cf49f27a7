/**
 * Bytes sealed under a passphrase: for a recovery kit's file, and for a device's key while the console is locked.
 *
 *   offset  size  field
 *        0     8  "PHPASS1\0"
 *        8    16  salt of Argon2id
 *       24     n  sealed bytes (PROTOCOL.md, section 8) under what Argon2id makes of both
 *
 * The sealing commits to its key, so that no file opens under two passphrases.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { CryptoError, openBytes, sealBytes, Secret } from "@phantoma/crypto";
import { ClientError } from "../client-error.ts";
import { stretch, STRETCH_SALT_BYTES } from "./stretch.ts";
import { words } from "./words.ts";

const MAGIC = Buffer.from("PHPASS1\0", "ascii");
const KEY_BYTES = 32;
const START = MAGIC.length + STRETCH_SALT_BYTES;
/** Bytes: what a person can remember and Argon2id makes slow to guess; words that are made have far more. */
const MIN_PASSPHRASE_BYTES = 12;
/** 96 bits, of a list of 256. */
const MADE_WORDS = 12;

/** @throws {@link ClientError} `ERR_PASSPHRASE_SHORT` */
export function assertLong(passphrase: Secret): void {
  if (passphrase.expose().length >= MIN_PASSPHRASE_BYTES) return;
  throw new ClientError(
    "ERR_PASSPHRASE_SHORT",
    `a passphrase has ${MIN_PASSPHRASE_BYTES} characters or more`,
  );
}

/** A passphrase for paper: twelve words that nobody chose. */
export function newPassphraseWords(): string[] {
  return [...randomBytes(MADE_WORDS)].map((byte) => words[byte]!);
}

/** @param context what these bytes are for; opening needs the same */
export async function sealUnderPassphrase(
  passphrase: Secret,
  context: string,
  plaintext: Uint8Array,
): Promise<Buffer> {
  const salt = randomBytes(STRETCH_SALT_BYTES);
  const key = new Secret(await stretch(passphrase.expose(), salt, KEY_BYTES));
  try {
    return Buffer.concat([MAGIC, salt, sealBytes(key, Buffer.from(context), plaintext)]);
  } finally {
    key.erase();
  }
}

/**
 * @throws {@link ClientError} `ERR_PASSPHRASE` for another passphrase, another use, or a byte that was changed:
 *   which of them it was cannot be told apart. `ERR_KIT_FILE` for what was never sealed so.
 */
export async function openWithPassphrase(
  passphrase: Secret,
  context: string,
  untrusted: Uint8Array,
): Promise<Secret> {
  const bytes = Buffer.from(untrusted);
  if (bytes.length <= START || !bytes.subarray(0, MAGIC.length).equals(MAGIC))
    throw new ClientError("ERR_KIT_FILE", "it was not sealed under a passphrase by this program");
  const salt = bytes.subarray(MAGIC.length, START);
  const key = new Secret(await stretch(passphrase.expose(), salt, KEY_BYTES));
  try {
    return new Secret(openBytes(key, Buffer.from(context), bytes.subarray(START)));
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    if (error.code === "ERR_AUTHENTICATION")
      throw new ClientError("ERR_PASSPHRASE", "it is another passphrase, or the file was changed");
    throw new ClientError("ERR_KIT_FILE", "the file is not whole");
  } finally {
    key.erase();
  }
}
