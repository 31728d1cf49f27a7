/**
 * Argon2id: makes every guess cost what one honest use costs, for passphrases and for words that people compare.
 *
 * From libsodium, because Electron's crypto has no Argon2.
 *
 * Source: RFC 9106; libsodium's `crypto_pwhash`.
 *
 * @module
 */
import sodium from "libsodium-wrappers-sumo";

export const STRETCH_SALT_BYTES = 16;

/** A quarter of a second on one core of 2024, once per use. */
const PASSES = 3;
/** 64 MiB: what makes a graphics card no better than a processor. */
const MEMORY_BYTES = 64 * 1024 * 1024;

/**
 * @param salt 16 bytes, another one for every use
 * @param lengthBytes 16 or more: less is refused
 */
export async function stretch(
  input: Uint8Array,
  salt: Uint8Array,
  lengthBytes: number,
): Promise<Buffer> {
  await sodium.ready;
  const { crypto_pwhash_ALG_ARGON2ID13: algorithm } = sodium;
  const made = sodium.crypto_pwhash(lengthBytes, input, salt, PASSES, MEMORY_BYTES, algorithm);
  return Buffer.from(made.buffer, made.byteOffset, made.byteLength);
}
