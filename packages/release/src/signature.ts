/**
 * Ed25519 over a file of metadata, as hex.
 *
 * @module
 */
import { createPublicKey, verify } from "node:crypto";

/** What of a metadata file is signed, and by which keys; the class of `@tufjs/models` is one. */
export interface SignedMetadata {
  readonly signed: { toJSON(): object };
  readonly signatures: Readonly<Record<string, { readonly sig: string }>>;
}

/** 64 bytes in lower-case hex, one spelling. */
const SIGNATURE = /^[0-9a-f]{128}$/;
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

export function isSignature(publicKey: string, bytes: Uint8Array, signature: string): boolean {
  if (!SIGNATURE.test(signature)) return false;
  const key = Buffer.concat([SPKI_PREFIX, Buffer.from(publicKey, "hex")]);
  return verify(
    null,
    bytes,
    createPublicKey({ key, format: "der", type: "spki" }),
    Buffer.from(signature, "hex"),
  );
}
