/**
 * X-Wing: a key encapsulation that holds while either X25519 or ML-KEM-768 does.
 *
 * On libsodium (WebAssembly) in every runtime: a key is remade from its seed, which node:crypto's own ML-KEM cannot do.
 * libsodium leaves what it computed in its heap until the process ends.
 *
 * Source: draft-connolly-cfrg-xwing-kem.
 *
 * @module
 */
import sodium from "libsodium-wrappers";
import { CryptoError } from "./crypto-error.ts";
import { Secret } from "./secret.ts";

export const X_WING_PUBLIC_BYTES = 1216;
export const X_WING_CIPHERTEXT_BYTES = 1120;
const X_WING_SEED_BYTES = 32;

export interface XWingKeyPair {
  readonly publicKey: Uint8Array;
  /** The shared secret in `untrusted`, 32 bytes. A forged one yields a secret nobody else has. */
  decapsulate(untrusted: Uint8Array): Secret;
  erase(): void;
}

export interface XWing {
  /** @param seed 32 bytes; still the caller's to erase */
  fromSeed(seed: Secret): XWingKeyPair;
  /** @throws {@link CryptoError} `ERR_LENGTH` or `ERR_BAD_KEY` */
  encapsulate(untrusted: Uint8Array): {
    readonly ciphertext: Uint8Array;
    readonly sharedSecret: Secret;
  };
}

export async function loadXWing(): Promise<XWing> {
  await sodium.ready;
  return { fromSeed, encapsulate };
}

function fromSeed(seed: Secret): XWingKeyPair {
  assertLength(seed.expose(), X_WING_SEED_BYTES);
  const { publicKey, privateKey } = sodium.crypto_kem_xwing_seed_keypair(seed.expose());
  return {
    publicKey,
    decapsulate: (untrusted) => {
      assertLength(untrusted, X_WING_CIPHERTEXT_BYTES);
      return owned(sodium.crypto_kem_xwing_dec(untrusted, privateKey));
    },
    erase: () => privateKey.fill(0),
  };
}

function encapsulate(untrusted: Uint8Array) {
  assertLength(untrusted, X_WING_PUBLIC_BYTES);
  try {
    const { ciphertext, sharedSecret } = sodium.crypto_kem_xwing_enc(untrusted);
    return { ciphertext, sharedSecret: owned(sharedSecret) };
  } catch {
    throw new CryptoError("ERR_BAD_KEY", "not an X-Wing public key");
  }
}

function assertLength(bytes: Uint8Array, expected: number): void {
  if (bytes.length !== expected)
    throw new CryptoError("ERR_LENGTH", `expected ${expected} bytes of X-Wing`);
}

function owned(bytes: Uint8Array): Secret {
  return new Secret(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}
