/**
 * Whether an admin's standing policy lets a release be installed without asking.
 *
 * The policy names no release: which one is only somebody's proposal, and the quorum and the version decide.
 *
 * @module
 */
import { createHash } from "node:crypto";
import {
  activeAdmin,
  documentHash,
  sameBytes,
  updatePolicyDocument,
  type DeviceList,
  type UpdatePolicy,
} from "@phantoma/crypto";
import { InstallError } from "./install-error.ts";
import type { Permission } from "./approval.ts";
import type { Standing } from "./standing.ts";

/** What is proposed: its version and its bundle's SHA-256 in hex. */
export interface Offer {
  readonly version: string;
  readonly sha256: string;
}

/** @returns `undefined` for what is no offer */
export function parseOffer(untrusted: Uint8Array): Offer | undefined {
  const [, version, sha256] =
    /^(\d{1,9}\.\d{1,9}\.\d{1,9}) ([0-9a-f]{64})\n$/.exec(
      Buffer.from(untrusted).toString("latin1"),
    ) ?? [];
  return version && sha256 ? { version, sha256 } : undefined;
}

/** @throws {@link InstallError} `ERR_POLICY` */
export function openPolicy(
  untrusted: Uint8Array,
  devices: DeviceList,
  standing: Standing,
): UpdatePolicy {
  let policy: UpdatePolicy;
  try {
    policy = updatePolicyDocument.open(
      untrusted,
      ({ signer }) => activeAdmin(devices, signer)?.signingKey,
    );
  } catch (cause) {
    throw new InstallError("ERR_POLICY", { cause });
  }
  if (!sameBytes(policy.node, devices.node))
    throw new InstallError("ERR_POLICY", { about: "it is for another node" });
  if (policy.counter < BigInt(standing.policyCounter))
    throw new InstallError("ERR_POLICY", { about: "a later one was seen" });
  return policy;
}

/** What this policy says about this offer; its name is of both, so that one that failed is not tried again. */
export function permissionBy(
  policy: UpdatePolicy,
  document: Uint8Array,
  { version, sha256 }: Offer,
  now: number,
): Permission {
  if (policy.mode !== "automatic" || policy.notAfter < now)
    throw new InstallError("ERR_POLICY", { about: "none is in force" });
  const release = Buffer.from(sha256, "hex");
  const hash = createHash("sha256").update(documentHash(document)).update(release).digest("hex");
  return { version, release, hash, counters: { policyCounter: String(policy.counter) } };
}
