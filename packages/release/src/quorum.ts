/**
 * Who signed: a signature counts for one key, a key for one person, and a person once.
 *
 * @module
 */
import { canonicalize } from "@tufjs/canonical-json";
import { ReleaseError } from "./release-error.ts";
import type { RoleName, TrustedRoles } from "./root-rules.ts";
import type { SignedMetadata } from "./signature.ts";

export interface Quorum {
  readonly role: RoleName;
  readonly signers: readonly string[];
  readonly needed: number;
  readonly possible: number;
}

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
  for (const key of keys) if (key.hasSigned(file, bytes)) people.add(key.person);
  return { role, signers: [...people], needed: threshold, possible: keys.length };
}

export function quorumText({ signers, needed, possible }: Quorum): string {
  const who = signers.length === 0 ? "nobody" : signers.join(", ");
  return `signed by ${who}: ${signers.length}, needed ${needed} of ${possible}`;
}
