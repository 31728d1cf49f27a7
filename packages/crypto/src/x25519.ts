/**
 * X25519 key agreement on node:crypto, which every runtime of ours has natively.
 *
 * Source: RFC 7748, sections 5 and 6.1; key encodings from RFC 8410.
 *
 * @module
 */
import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import { CryptoError } from "./crypto-error.ts";

/** Length of a public key, a private key and a shared secret, in bytes. */
export const X25519_BYTES = 32;

/** RFC 8410 framing that node:crypto wants around a raw key: SubjectPublicKeyInfo and PKCS #8. */
const SPKI_PREFIX = Buffer.from("302a300506032b656e032100", "hex");
const PKCS8_PREFIX = Buffer.from("302e020100300506032b656e04220420", "hex");

/** A key pair; the private half is a KeyObject, which never prints its bytes. */
export interface X25519KeyPair {
  readonly publicKey: Uint8Array;
  readonly privateKey: KeyObject;
}

export function generateX25519(): X25519KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync("x25519");
  return { publicKey: rawPublicKey(publicKey), privateKey };
}

/** @param privateBytes 32 bytes; still the caller's to erase. */
export function x25519FromPrivate(privateBytes: Uint8Array): X25519KeyPair {
  const der = Buffer.concat([PKCS8_PREFIX, privateBytes]);
  const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  der.fill(0);
  return { publicKey: rawPublicKey(createPublicKey(privateKey)), privateKey };
}

/** The raw private key, 32 bytes, for storing it; the caller erases it. */
export function exportX25519Private(privateKey: KeyObject): Buffer {
  const der = privateKey.export({ format: "der", type: "pkcs8" });
  const raw = Buffer.alloc(X25519_BYTES);
  der.copy(raw, 0, PKCS8_PREFIX.length);
  der.fill(0);
  return raw;
}

/**
 * The shared secret of our private and their public key, 32 bytes; the caller erases it.
 *
 * @throws {@link CryptoError} `ERR_LENGTH`, or `ERR_BAD_KEY` when the result would be all zero
 */
export function x25519(privateKey: KeyObject, untrusted: Uint8Array): Buffer {
  if (untrusted.length !== X25519_BYTES)
    throw new CryptoError("ERR_LENGTH", "an X25519 public key has 32 bytes");
  try {
    return diffieHellman({ privateKey, publicKey: importX25519Public(untrusted) });
  } catch {
    throw new CryptoError("ERR_BAD_KEY", "the X25519 public key is of low order");
  }
}

function importX25519Public(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: "der", type: "spki" });
}

function rawPublicKey(key: KeyObject): Uint8Array {
  const der = key.export({ format: "der", type: "spki" });
  return new Uint8Array(der.subarray(SPKI_PREFIX.length));
}
