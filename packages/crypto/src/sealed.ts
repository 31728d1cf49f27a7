/**
 * Sealed bytes at rest: chunked AES-256-GCM with a committing header and an authenticated end.
 *
 *   header, 80 bytes:  magic "PHSEAL1\0" (8) · chunk size (4) · zero (4) · salt (32) · commitment (32)
 *   chunk i:           ciphertext of up to `chunk size` bytes · tag (16)
 *
 * Keys: HKDF-SHA-256(key, salt, SHA-256(context)) gives the chunk key and the commitment key; the commitment
 * is HMAC-SHA-256 over the header before it, so no two keys open one file. The nonce of a chunk is
 * its number (11 bytes) and 1 for the last chunk, else 0: chunks cannot be moved, dropped or added.
 * Each salt is fresh, so no chunk key is ever used for two contents.
 *
 * Source: the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015). Specified in
 * PROTOCOL.md, section 8.
 *
 * @module
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
  type KeyObject,
} from "node:crypto";
import { CryptoError } from "./crypto-error.ts";
import type { Secret } from "./secret.ts";

const MAGIC = Buffer.from("PHSEAL1\0", "ascii");
const KEY_BYTES = 32;
const TAG_BYTES = 16;
const SALT_BYTES = 32;
const COMMITMENT_START = MAGIC.length + 4 + 4 + SALT_BYTES;
export const SEALED_HEADER_BYTES = COMMITMENT_START + 32;

/** 64 KiB: small enough to hold, large enough that the tag costs nothing. */
export const SEALED_CHUNK_BYTES = 65_536;

const GCM_OPTIONS = { authTagLength: TAG_BYTES } as const;

/**
 * Seals `plaintext` under a key of 32 bytes.
 *
 * @param context what these bytes are (object, version, owner); opening needs the same
 */
export function sealBytes(key: Secret, context: Uint8Array, plaintext: Uint8Array): Buffer {
  const salt = randomBytes(SALT_BYTES);
  const head = Buffer.concat([MAGIC, chunkSizeField(), salt]);
  const { chunkKey, commitment } = deriveKeys(key, context, head);
  const parts: Buffer[] = [head, commitment];
  for (let index = 0, start = 0; ; index += 1, start += SEALED_CHUNK_BYTES) {
    const end = Math.min(start + SEALED_CHUNK_BYTES, plaintext.length);
    const isLast = end === plaintext.length;
    parts.push(sealChunk(chunkKey, index, isLast, plaintext.subarray(start, end)));
    if (isLast) return Buffer.concat(parts);
  }
}

/**
 * Opens what {@link sealBytes} made; gives nothing unless all of it is genuine.
 *
 * @throws {@link CryptoError} `ERR_LENGTH`, `ERR_TRUNCATED` or `ERR_AUTHENTICATION`
 */
export function openBytes(key: Secret, context: Uint8Array, untrusted: Uint8Array): Buffer {
  if (untrusted.length < SEALED_HEADER_BYTES + TAG_BYTES)
    throw new CryptoError("ERR_LENGTH", "too short to be sealed bytes");
  const head = Buffer.from(untrusted.subarray(0, COMMITMENT_START));
  if (!head.subarray(0, MAGIC.length + 8).equals(Buffer.concat([MAGIC, chunkSizeField()])))
    throw new CryptoError("ERR_LENGTH", "not sealed bytes of this version");
  const { chunkKey, commitment } = deriveKeys(key, context, head);
  if (!timingSafeEqual(commitment, untrusted.subarray(COMMITMENT_START, SEALED_HEADER_BYTES)))
    throw new CryptoError("ERR_AUTHENTICATION", "sealed under another key or for another use");
  return openChunks(chunkKey, untrusted.subarray(SEALED_HEADER_BYTES));
}

function openChunks(chunkKey: KeyObject, untrusted: Uint8Array): Buffer {
  const opened: Buffer[] = [];
  const step = SEALED_CHUNK_BYTES + TAG_BYTES;
  try {
    for (let index = 0, start = 0; ; index += 1, start += step) {
      const end = Math.min(start + step, untrusted.length);
      const isLast = end === untrusted.length;
      const chunk = openChunk(chunkKey, index, isLast, untrusted.subarray(start, end));
      if (!chunk) throw chunkError(chunkKey, index, isLast, untrusted.subarray(start, end));
      opened.push(chunk);
      if (isLast) return Buffer.concat(opened);
    }
  } finally {
    for (const chunk of opened) chunk.fill(0);
  }
}

/** A last chunk that is genuine as any other one means that what followed is missing. */
function chunkError(
  key: KeyObject,
  index: number,
  isLast: boolean,
  untrusted: Uint8Array,
): CryptoError {
  const asMiddle = isLast ? openChunk(key, index, false, untrusted) : undefined;
  if (!asMiddle) return new CryptoError("ERR_AUTHENTICATION", `chunk ${index} is not genuine`);
  asMiddle.fill(0);
  return new CryptoError("ERR_TRUNCATED", "the sealed bytes end before their last chunk");
}

function sealChunk(key: KeyObject, index: number, isLast: boolean, chunk: Uint8Array): Buffer {
  const cipher = createCipheriv("aes-256-gcm", key, chunkNonce(index, isLast), GCM_OPTIONS);
  const body = cipher.update(chunk);
  cipher.final();
  return Buffer.concat([body, cipher.getAuthTag()]);
}

function openChunk(
  key: KeyObject,
  index: number,
  isLast: boolean,
  untrusted: Uint8Array,
): Buffer | undefined {
  if (untrusted.length < TAG_BYTES) return undefined;
  const tagStart = untrusted.length - TAG_BYTES;
  const decipher = createDecipheriv("aes-256-gcm", key, chunkNonce(index, isLast), GCM_OPTIONS);
  decipher.setAuthTag(untrusted.subarray(tagStart));
  const plaintext = decipher.update(untrusted.subarray(0, tagStart));
  try {
    decipher.final();
    return plaintext;
  } catch {
    plaintext.fill(0);
    return undefined;
  }
}

function deriveKeys(
  key: Secret,
  context: Uint8Array,
  head: Buffer,
): { chunkKey: KeyObject; commitment: Buffer } {
  const secret = key.expose();
  if (secret.length !== KEY_BYTES)
    throw new CryptoError("ERR_LENGTH", "a sealing key has 32 bytes");
  const salt = head.subarray(head.length - SALT_BYTES);
  // Hashed, because HKDF implementations bound their info and a context has no bound.
  const contextHash = createHash("sha256").update(context).digest();
  const info = Buffer.concat([Buffer.from("phantoma sealed v1\0", "ascii"), contextHash]);
  const derived = Buffer.from(hkdfSync("sha256", secret, salt, info, 64));
  const chunkKey = createSecretKey(derived.subarray(0, 32));
  const commitment = createHmac("sha256", derived.subarray(32)).update(head).digest();
  derived.fill(0);
  return { chunkKey, commitment };
}

function chunkSizeField(): Buffer {
  const field = Buffer.alloc(8);
  field.writeUInt32BE(SEALED_CHUNK_BYTES, 0);
  return field;
}

function chunkNonce(index: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(index, 5, 6);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}
