/**
 * The key by which a server shows that it is itself, as people compare it: an algorithm and a SHA-256, written as
 * OpenSSH writes it.
 *
 * Source: RFC 4253, section 6.6 (form of a key); RFC 8332 (RSA with SHA-2).
 *
 * @module
 */
import { createHash } from "node:crypto";
import { ProvisionError } from "../provision-error.ts";

export interface HostKey {
  /** As the key itself says: `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa`. */
  readonly algorithm: string;
  /** `SHA256:` and 43 characters. */
  readonly sha256: string;
}

/** What a server may prove each kind of key with. `ssh-rsa` names a key; its signatures are SHA-2 here, never SHA-1. */
export const SIGNATURES: Readonly<Record<string, readonly string[]>> = {
  "ssh-ed25519": ["ssh-ed25519"],
  "ecdsa-sha2-nistp256": ["ecdsa-sha2-nistp256"],
  "ecdsa-sha2-nistp384": ["ecdsa-sha2-nistp384"],
  "ecdsa-sha2-nistp521": ["ecdsa-sha2-nistp521"],
  "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256"],
};

/** 8 KiB: an RSA key of 16384 bits has a quarter of it. */
const MAX_KEY_BYTES = 8_192;

/** @throws {@link ProvisionError} `ERR_SSH_PROTOCOL` */
export function readHostKey(untrusted: Buffer): HostKey {
  if (untrusted.length < 4 || untrusted.length > MAX_KEY_BYTES)
    throw new ProvisionError("ERR_SSH_PROTOCOL");
  const length = untrusted.readUInt32BE(0);
  const algorithm = untrusted.toString("latin1", 4, Math.min(4 + length, untrusted.length));
  if (!Object.hasOwn(SIGNATURES, algorithm)) throw new ProvisionError("ERR_SSH_PROTOCOL");
  const digest = createHash("sha256").update(untrusted).digest("base64").replace(/=+$/, "");
  return { algorithm, sha256: `SHA256:${digest}` };
}

/**
 * A fingerprint as a person pastes it: alone, or with what `ssh-keygen -l` and providers print around it.
 *
 * @throws {@link ProvisionError} `ERR_HOST_KEY_TEXT`
 */
export function parseFingerprint(untrusted: string): string {
  const found = [...untrusted.slice(0, MAX_KEY_BYTES).matchAll(FINGERPRINT)];
  if (found.length !== 1) throw new ProvisionError("ERR_HOST_KEY_TEXT");
  return `SHA256:${found[0]![1]}`;
}

const FINGERPRINT = /(?:^|\s)SHA256:([A-Za-z0-9+/]{43})=?(?=\s|$)/g;

export function isSameKey(a: HostKey, b: HostKey): boolean {
  return a.algorithm === b.algorithm && a.sha256 === b.sha256;
}
