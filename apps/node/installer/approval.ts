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

export interface Approved extends UpdateApproval {
  /** SHA-256 of the document, in hex. */
  readonly hash: string;
}

/** Whether this is the approval that was used last. */
export function isSpent(untrusted: Uint8Array, standing: Standing): boolean {
  return standing.isUsed && standing.approval === hashOf(untrusted);
}

/** @throws {@link InstallError} `ERR_APPROVAL`, `ERR_APPROVAL_LATE` or `ERR_APPROVAL_USED` */
export function openApproval(
  untrusted: Uint8Array,
  devices: DeviceList,
  standing: Standing,
  now: number,
): Approved {
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
  return { ...approval, hash };
}

function hashOf(document: Uint8Array): string {
  return Buffer.from(documentHash(document)).toString("hex");
}
