/**
 * Whether an admin device of this node approved a bundle, now and for the first time.
 *
 * @module
 */
import {
  activeAdmin,
  documentHash,
  sameBytes,
  updateApprovalDocument,
  type DeviceList,
  type UpdateApproval,
} from "@phantoma/crypto";
import { InstallError } from "./install-error.ts";
import type { Standing } from "./standing.ts";

/** That one release may be installed, by an approval or by a policy. */
export interface Permission {
  readonly version: string;
  /** SHA-256 of the bundle. */
  readonly release: Uint8Array;
  /** Its name, in hex: one that led to an end does nothing more. */
  readonly hash: string;
  /** What is remembered as soon as it counts. */
  readonly counters: Partial<Pick<Standing, "counter" | "policyCounter">>;
}

/** Whether it is what was used last. */
export function isSpent(hash: string, standing: Standing): boolean {
  return standing.isUsed && standing.approval === hash;
}

/** @throws {@link InstallError} `ERR_APPROVAL`, `ERR_APPROVAL_LATE` or `ERR_APPROVAL_USED` */
export function openApproval(
  untrusted: Uint8Array,
  devices: DeviceList,
  standing: Standing,
  now: number,
): Permission {
  let approval: UpdateApproval;
  try {
    approval = updateApprovalDocument.open(
      untrusted,
      ({ signer }) => activeAdmin(devices, signer)?.signingKey,
    );
  } catch (cause) {
    throw new InstallError("ERR_APPROVAL", { cause });
  }
  if (!sameBytes(approval.node, devices.node))
    throw new InstallError("ERR_APPROVAL", { about: "it is for another node" });
  if (approval.notAfter < now) throw new InstallError("ERR_APPROVAL_LATE");
  const hash = hashOf(untrusted);
  const isResumed = !standing.isUsed && standing.approval === hash;
  if (approval.counter <= BigInt(standing.counter) && !isResumed)
    throw new InstallError("ERR_APPROVAL_USED");
  const { version, release, counter } = approval;
  return { version, release, hash, counters: { counter: String(counter) } };
}

/** The name of an approval, in hex. */
export function hashOf(document: Uint8Array): string {
  return Buffer.from(documentHash(document)).toString("hex");
}
