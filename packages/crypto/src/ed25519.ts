/**
 * Ed25519 signatures on node:crypto.
 *
 * Source: RFC 8032, section 5.1; key encodings from RFC 8410.
 *
 * @module
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from "node:crypto";
import { CryptoError } from "./crypto-error.ts";

export const ED25519_PUBLIC_BYTES = 32;
export const ED25519_SIGNATURE_BYTES = 64;
const ED25519_SEED_BYTES = 32;

const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

/** A signing key; the private half is a KeyObject, which never prints its bytes. */
export interface Ed25519KeyPair {
  readonly publicKey: Uint8Array;
  readonly privateKey: KeyObject;
}

export function generateEd25519(): Ed25519KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  return { publicKey: rawPublicKey(publicKey), privateKey };
}

/** @param seed 32 bytes; still the caller's to erase. */
export function ed25519FromSeed(seed: Uint8Array): Ed25519KeyPair {
  const der = Buffer.concat([PKCS8_PREFIX, seed]);
  const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  der.fill(0);
  return { publicKey: rawPublicKey(createPublicKey(privateKey)), privateKey };
}

/** The seed, 32 bytes, for storing it; the caller erases it. */
export function exportEd25519Seed(privateKey: KeyObject): Buffer {
  const der = privateKey.export({ format: "der", type: "pkcs8" });
  const seed = Buffer.alloc(ED25519_SEED_BYTES);
  der.copy(seed, 0, PKCS8_PREFIX.length);
  der.fill(0);
  return seed;
}

export function signEd25519(privateKey: KeyObject, message: Uint8Array): Uint8Array {
  return new Uint8Array(sign(null, message, privateKey));
}

/** Whether `signature` is `publicKey`'s over `message`; false for anything malformed. */
export function verifyEd25519(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (publicKey.length !== ED25519_PUBLIC_BYTES) return false;
  if (signature.length !== ED25519_SIGNATURE_BYTES) return false;
  const key = Buffer.concat([SPKI_PREFIX, publicKey]);
  return verify(null, message, createPublicKey({ key, format: "der", type: "spki" }), signature);
}

function rawPublicKey(key: KeyObject): Uint8Array {
  const der = key.export({ format: "der", type: "spki" });
  if (der.length !== SPKI_PREFIX.length + ED25519_PUBLIC_BYTES)
    throw new CryptoError("ERR_LENGTH", "not an Ed25519 public key");
  return new Uint8Array(der.subarray(SPKI_PREFIX.length));
}
