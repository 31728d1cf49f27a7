/**
 * Who signed: a signature counts for one key, a key for one person, and a person once.
 *
 * @module
 */
import { createPublicKey, verify } from "node:crypto";
import { canonicalize } from "@tufjs/canonical-json";
import { ReleaseError } from "./release-error.ts";
import type { RoleName, TrustedRoles } from "./root-rules.ts";

export interface Quorum {
  readonly role: RoleName;
  readonly signers: readonly string[];
  readonly needed: number;
  readonly possible: number;
}

/** What of a metadata file is signed, and by which keys; the class of `@tufjs/models` is one. */
export interface SignedMetadata {
  readonly signed: { toJSON(): object };
  readonly signatures: Readonly<Record<string, { readonly sig: string }>>;
}

/** Ed25519: 64 bytes in lower-case hex, one spelling. */
const SIGNATURE = /^[0-9a-f]{128}$/;
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

/** @throws {@link ReleaseError} `ERR_QUORUM` when too few people signed */
export function demandQuorum(roles: TrustedRoles, role: RoleName, file: SignedMetadata): Quorum {
  const quorum = readQuorum(roles, role, file);
  if (quorum.signers.length < quorum.needed)
    throw new ReleaseError("ERR_QUORUM", `${role}: ${quorumText(quorum)}`);
  return quorum;
}

/** Who signed so far. The bytes are made again from what was parsed, so what was signed is what is used. */
export function readQuorum(roles: TrustedRoles, role: RoleName, file: SignedMetadata): Quorum {
  const { threshold, keys } = roles.role(role);
  const bytes = Buffer.from(canonicalize(file.signed.toJSON()), "utf8");
  const people = new Set<string>();
  for (const { id, publicKey, person } of keys) {
    const signature = Object.hasOwn(file.signatures, id) ? file.signatures[id]!.sig : "";
    if (isSignature(publicKey, bytes, signature)) people.add(person);
  }
  return { role, signers: [...people], needed: threshold, possible: keys.length };
}

export function quorumText({ signers, needed, possible }: Quorum): string {
  const who = signers.length === 0 ? "nobody" : signers.join(", ");
  return `signed by ${who}: ${signers.length}, needed ${needed} of ${possible}`;
}

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
