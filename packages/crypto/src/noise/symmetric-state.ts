/**
 * The running hash and chaining key of a handshake.
 *
 * Source: Noise rev. 34, section 5.2 (SymmetricState) and section 4.3 (HKDF).
 *
 * @module
 */
import { createHash, hkdfSync } from "node:crypto";
import { CipherState } from "./cipher-state.ts";

export const HASH_BYTES = 32;

export class SymmetricState {
  #chainingKey: Buffer;
  #hash: Buffer;
  #cipher: CipherState | undefined;

  constructor(protocolName: string) {
    const name = Buffer.from(protocolName, "ascii");
    this.#hash =
      name.length <= HASH_BYTES
        ? Buffer.concat([name, Buffer.alloc(HASH_BYTES - name.length)])
        : createHash("sha256").update(name).digest();
    this.#chainingKey = Buffer.from(this.#hash);
  }

  /** Whether what is written next will be encrypted. */
  get hasKey(): boolean {
    return this.#cipher !== undefined;
  }

  /** The transcript so far; after the last message it names the session. */
  get hash(): Buffer {
    return Buffer.from(this.#hash);
  }

  mixHash(bytes: Uint8Array): void {
    this.#hash = createHash("sha256").update(this.#hash).update(bytes).digest();
  }

  /** Mixes a shared secret in and erases it. */
  mixKey(sharedSecret: Buffer): void {
    const [chainingKey, key] = hkdf(this.#chainingKey, sharedSecret);
    sharedSecret.fill(0);
    this.#chainingKey.fill(0);
    this.#chainingKey = chainingKey;
    this.#cipher = new CipherState(key);
    key.fill(0);
  }

  encryptAndHash(plaintext: Uint8Array): Buffer {
    const sealed = this.#cipher ? this.#cipher.seal(plaintext, this.#hash) : Buffer.from(plaintext);
    this.mixHash(sealed);
    return sealed;
  }

  decryptAndHash(untrusted: Uint8Array): Buffer {
    const opened = this.#cipher ? this.#cipher.open(untrusted, this.#hash) : Buffer.from(untrusted);
    this.mixHash(untrusted);
    return opened;
  }

  /** The two transport directions, initiator's first. Ends this object. */
  split(): [CipherState, CipherState] {
    const [first, second] = hkdf(this.#chainingKey, Buffer.alloc(0));
    const states: [CipherState, CipherState] = [new CipherState(first), new CipherState(second)];
    first.fill(0);
    second.fill(0);
    this.erase();
    return states;
  }

  erase(): void {
    this.#chainingKey.fill(0);
    this.#cipher?.erase();
  }
}

/**
 * Noise's HKDF with two outputs is RFC 5869 with the chaining key as salt and no info; one call costs a
 * quarter of three HMACs from here.
 */
function hkdf(chainingKey: Buffer, input: Buffer): [Buffer, Buffer] {
  const outputs = Buffer.from(hkdfSync("sha256", input, chainingKey, NO_INFO, 2 * HASH_BYTES));
  return [outputs.subarray(0, HASH_BYTES), outputs.subarray(HASH_BYTES)];
}

const NO_INFO = Buffer.alloc(0);
