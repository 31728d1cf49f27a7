/**
 * ML-KEM-768: native where the runtime has it, libsodium (WebAssembly) where not.
 *
 * Electron's crypto has no ML-KEM, Node 24 has; both agree byte for byte (see the vectors).
 * libsodium leaves KEM secrets in its WebAssembly heap after use, so native is preferred.
 *
 * Source: FIPS 203.
 *
 * @module
 */
import * as nodeCrypto from "node:crypto";
import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import sodium from "libsodium-wrappers";
import { CryptoError } from "./crypto-error.ts";

export const ML_KEM_PUBLIC_BYTES = 1184;
export const ML_KEM_CIPHERTEXT_BYTES = 1088;

/** SubjectPublicKeyInfo framing of an ML-KEM-768 public key (OID 2.16.840.1.101.3.4.4.2). */
const SPKI_PREFIX = Buffer.from("308204b2300b0609608648016503040402038204a100", "hex");

export interface MlKemKeyPair {
  readonly publicKey: Uint8Array;
  /** The shared secret in `ciphertext`, 32 bytes. A forged one yields a secret nobody else has. */
  decapsulate(ciphertext: Uint8Array): Buffer;
  /** Overwrites what of the private key is ours to overwrite. */
  erase(): void;
}

export interface Encapsulation {
  readonly ciphertext: Uint8Array;
  readonly sharedSecret: Buffer;
}

export interface MlKem {
  readonly name: "native" | "libsodium";
  generate(): MlKemKeyPair;
  /** @throws {@link CryptoError} `ERR_LENGTH` or `ERR_BAD_KEY` */
  encapsulate(untrusted: Uint8Array): Encapsulation;
}

/** Node >= 24.7 has these two; the names are looked up because other runtimes lack them. */
const native = nodeCrypto as unknown as {
  encapsulate?: (key: KeyObject) => { sharedKey: Buffer; ciphertext: Buffer };
  decapsulate?: (key: KeyObject, ciphertext: Uint8Array) => Buffer;
};

const nativeMlKem: MlKem = {
  name: "native",
  generate() {
    const { publicKey, privateKey } = generateKeyPairSync("ml-kem-768" as "x25519");
    const der = publicKey.export({ format: "der", type: "spki" });
    return {
      publicKey: new Uint8Array(der.subarray(SPKI_PREFIX.length)),
      decapsulate: (ciphertext) => {
        assertLength(ciphertext, ML_KEM_CIPHERTEXT_BYTES);
        return native.decapsulate!(privateKey, ciphertext);
      },
      erase: () => {},
    };
  },
  encapsulate(untrusted) {
    assertLength(untrusted, ML_KEM_PUBLIC_BYTES);
    try {
      const der = Buffer.concat([SPKI_PREFIX, untrusted]);
      const key = createPublicKey({ key: der, format: "der", type: "spki" });
      const { sharedKey, ciphertext } = native.encapsulate!(key);
      // The originals: a copy would stay behind when these are erased.
      return { ciphertext, sharedSecret: sharedKey };
    } catch {
      throw new CryptoError("ERR_BAD_KEY", "not an ML-KEM-768 encapsulation key");
    }
  },
};

const libsodiumMlKem: MlKem = {
  name: "libsodium",
  generate() {
    const { publicKey, privateKey } = sodium.crypto_kem_mlkem768_keypair();
    return {
      publicKey,
      decapsulate: (ciphertext) => {
        assertLength(ciphertext, ML_KEM_CIPHERTEXT_BYTES);
        return owned(sodium.crypto_kem_mlkem768_dec(ciphertext, privateKey));
      },
      erase: () => privateKey.fill(0),
    };
  },
  encapsulate(untrusted) {
    assertLength(untrusted, ML_KEM_PUBLIC_BYTES);
    try {
      const { ciphertext, sharedSecret } = sodium.crypto_kem_mlkem768_enc(untrusted);
      return { ciphertext, sharedSecret: owned(sharedSecret) };
    } catch {
      throw new CryptoError("ERR_BAD_KEY", "not an ML-KEM-768 encapsulation key");
    }
  },
};

/** The implementation this runtime should use; `prefer` is for tests and for Electron's checks. */
export async function loadMlKem(prefer?: MlKem["name"]): Promise<MlKem> {
  if (prefer !== "libsodium" && native.encapsulate && native.decapsulate) return nativeMlKem;
  await sodium.ready;
  return libsodiumMlKem;
}

function assertLength(bytes: Uint8Array, expected: number): void {
  if (bytes.length !== expected)
    throw new CryptoError("ERR_LENGTH", `expected ${expected} bytes of ML-KEM-768`);
}

function owned(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
