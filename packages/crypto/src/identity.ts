/**
 * The lasting keys: a device's two and a node's one.
 *
 * They are made where they are used and leave only as {@link Secret}, for the key store.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { CryptoError } from "./crypto-error.ts";
import { ed25519FromSeed, exportEd25519Seed, generateEd25519 } from "./ed25519.ts";
import type { Ed25519KeyPair } from "./ed25519.ts";
import { Secret } from "./secret.ts";
import { exportX25519Private, generateX25519, x25519FromPrivate } from "./x25519.ts";
import type { X25519KeyPair } from "./x25519.ts";

export interface DeviceIdentity {
  /** Signs tickets and, for an admin, lists and orders. */
  readonly signing: Ed25519KeyPair;
  /** Static key of the tunnel's handshakes. */
  readonly tunnel: X25519KeyPair;
}

export interface NodeIdentity {
  readonly signing: Ed25519KeyPair;
}

const DEVICE_SECRET_BYTES = 64;
const NODE_SECRET_BYTES = 32;

export function generateDeviceIdentity(): DeviceIdentity {
  return { signing: generateEd25519(), tunnel: generateX25519() };
}

/** Both private keys, 64 bytes: Ed25519 seed, then X25519 key. */
export function exportDeviceIdentity(identity: DeviceIdentity): Secret {
  const seed = exportEd25519Seed(identity.signing.privateKey);
  const tunnel = exportX25519Private(identity.tunnel.privateKey);
  const joined = Buffer.concat([seed, tunnel]);
  seed.fill(0);
  tunnel.fill(0);
  return new Secret(joined);
}

/** @throws {@link CryptoError} `ERR_LENGTH` */
export function importDeviceIdentity(secret: Secret): DeviceIdentity {
  const joined = secret.expose();
  assertLength(joined, DEVICE_SECRET_BYTES);
  return {
    signing: ed25519FromSeed(joined.subarray(0, 32)),
    tunnel: x25519FromPrivate(joined.subarray(32)),
  };
}

export function generateNodeIdentity(): NodeIdentity {
  return { signing: generateEd25519() };
}

export function exportNodeIdentity(identity: NodeIdentity): Secret {
  return new Secret(exportEd25519Seed(identity.signing.privateKey));
}

/** @throws {@link CryptoError} `ERR_LENGTH` */
export function importNodeIdentity(secret: Secret): NodeIdentity {
  const seed = secret.expose();
  assertLength(seed, NODE_SECRET_BYTES);
  return { signing: ed25519FromSeed(seed) };
}

/** A public key for people to compare: 60 decimal digits of its SHA-256 in groups of five. */
export function fingerprint(publicKey: Uint8Array): string {
  const digest = createHash("sha256")
    .update("phantoma fingerprint v1\0")
    .update(publicKey)
    .digest();
  const number = BigInt(`0x${digest.toString("hex")}`) % 10n ** 60n;
  return number.toString().padStart(60, "0").match(/.{5}/g)!.join(" ");
}

function assertLength(secret: Buffer, expected: number): void {
  if (secret.length !== expected)
    throw new CryptoError("ERR_LENGTH", `a stored identity has ${expected} bytes`);
}
