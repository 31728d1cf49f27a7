/**
 * One direction of a session: AES-256-GCM under a counter nonce.
 *
 * Source: Noise rev. 34, section 5.1 (CipherState), section 11.3 (rekey) and section 12.4 (nonce
 * layout: 32 zero bits, then the counter as 64 bits big-endian).
 *
 * @module
 */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from "node:crypto";
import { CryptoError } from "../crypto-error.ts";

export const KEY_BYTES = 32;
export const TAG_BYTES = 16;
const NONCE_BYTES = 12;

/** A shorter tag would be accepted by default, so the length is always said. */
const GCM_OPTIONS = { authTagLength: TAG_BYTES } as const;

/** Noise reserves 2^64 - 1 for rekeying, so this is the last counter a message may use. */
const LAST_COUNTER = 2n ** 64n - 2n;
const REKEY_COUNTER = 2n ** 64n - 1n;

const NOTHING = Buffer.alloc(0);
const REKEY_PLAINTEXT = Buffer.alloc(KEY_BYTES);

export class CipherState {
  /** A KeyObject: three times faster than raw bytes for small records, and never printed. */
  #key: KeyObject | undefined;
  #counter: bigint;

  /**
   * @param key 32 bytes; still the caller's to erase
   * @param counter where to begin; anything but 0 is for tests of the counter's end
   */
  constructor(key: Uint8Array, counter = 0n) {
    this.#key = createSecretKey(key);
    this.#counter = counter;
  }

  /** How many messages this direction has carried under all its keys. */
  get counter(): bigint {
    return this.#counter;
  }

  /**
   * Encrypts under the next counter value.
   *
   * @returns ciphertext and tag, `plaintext.length + 16` bytes
   * @throws {@link CryptoError} `ERR_COUNTER_EXHAUSTED` or `ERR_STEP_REUSED`
   */
  seal(plaintext: Uint8Array, associatedData: Uint8Array = NOTHING): Buffer {
    const key = this.#usableKey();
    const sealed = sealAt(key, this.#counter, plaintext, associatedData);
    this.#counter += 1n;
    return sealed;
  }

  /**
   * Decrypts what the peer sealed with the same counter value.
   *
   * The counter moves only after the tag has verified, so a forged message cannot push the two
   * ends out of step.
   *
   * @throws {@link CryptoError} `ERR_LENGTH`, `ERR_AUTHENTICATION`, `ERR_COUNTER_EXHAUSTED` or
   * `ERR_STEP_REUSED`
   */
  open(untrusted: Uint8Array, associatedData: Uint8Array = NOTHING): Buffer {
    const key = this.#usableKey();
    if (untrusted.length < TAG_BYTES) throw new CryptoError("ERR_LENGTH", "no room for a tag");
    const decipher = createDecipheriv("aes-256-gcm", key, nonce(this.#counter), GCM_OPTIONS);
    const tagStart = untrusted.length - TAG_BYTES;
    decipher.setAAD(associatedData);
    decipher.setAuthTag(untrusted.subarray(tagStart));
    const plaintext = decipher.update(untrusted.subarray(0, tagStart));
    try {
      decipher.final();
    } catch {
      plaintext.fill(0);
      throw new CryptoError("ERR_AUTHENTICATION", "the tag did not verify");
    }
    this.#counter += 1n;
    return plaintext;
  }

  /** Replaces the key by a one-way function of itself; the counter goes on. */
  rekey(): void {
    const next = sealAt(this.#presentKey(), REKEY_COUNTER, REKEY_PLAINTEXT, NOTHING);
    this.#key = createSecretKey(next.subarray(0, KEY_BYTES));
    next.fill(0);
  }

  /** Lets go of the key; every later call fails. */
  erase(): void {
    this.#key = undefined;
  }

  #usableKey(): KeyObject {
    if (this.#counter > LAST_COUNTER)
      throw new CryptoError("ERR_COUNTER_EXHAUSTED", "no counter value is left under this key");
    return this.#presentKey();
  }

  #presentKey(): KeyObject {
    if (!this.#key) throw new CryptoError("ERR_STEP_REUSED", "cipher used after it was erased");
    return this.#key;
  }
}

function sealAt(
  key: KeyObject,
  counter: bigint,
  plaintext: Uint8Array,
  associatedData: Uint8Array,
): Buffer {
  const cipher = createCipheriv("aes-256-gcm", key, nonce(counter), GCM_OPTIONS);
  cipher.setAAD(associatedData);
  const sealed = Buffer.allocUnsafeSlow(plaintext.length + TAG_BYTES);
  const body = cipher.update(plaintext);
  cipher.final();
  sealed.set(body, 0);
  sealed.set(cipher.getAuthTag(), plaintext.length);
  // At a rekey this is the next key.
  body.fill(0);
  return sealed;
}

function nonce(counter: bigint): Buffer {
  const bytes = Buffer.alloc(NONCE_BYTES);
  bytes.writeBigUInt64BE(counter, 4);
  return bytes;
}
