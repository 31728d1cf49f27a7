/**
 * What an admin's device signs about updates: that one release may be installed, or that all with their quorum may.
 *
 * @module
 */
import {
  updateApprovalDocument,
  updatePolicyDocument,
  type DeviceIdentity,
} from "@phantoma/crypto";
import { nextCounter } from "./window-order.ts";

interface UpdateOrder {
  /** The node's Ed25519 key. */
  readonly node: Uint8Array;
  /** What the node says it has seen; the order's counter is above it. */
  readonly highestCounter: string;
  /** How long it is good, in milliseconds: an approval at most 7 days, a policy at most 400. */
  readonly lifetimeMs: number;
  /** What the node says its clock shows, in milliseconds since 1970. */
  readonly nodeTime: number;
}

/** @throws {@link ClientError} `ERR_CLOCKS` */
export function signUpdateApproval(
  device: DeviceIdentity,
  order: UpdateOrder & { readonly version: string; readonly sha256: string },
): Uint8Array {
  const { version, sha256 } = order;
  const release = Buffer.from(sha256, "hex");
  return updateApprovalDocument.sign(
    { ...fieldsOf(device, order), release, version },
    device.signing.privateKey,
  );
}

/** @throws {@link ClientError} `ERR_CLOCKS` */
export function signUpdatePolicy(
  device: DeviceIdentity,
  order: UpdateOrder & { readonly mode: "ask" | "automatic" },
): Uint8Array {
  const { mode } = order;
  return updatePolicyDocument.sign({ ...fieldsOf(device, order), mode }, device.signing.privateKey);
}

/** By this machine's clock, as every order. */
function fieldsOf(device: DeviceIdentity, order: UpdateOrder) {
  const { node, highestCounter, lifetimeMs, nodeTime } = order;
  const now = Date.now();
  return {
    node,
    counter: nextCounter({ highestCounter, nodeTime, now }),
    notAfter: Math.min(now, nodeTime) + lifetimeMs,
    signer: device.signing.publicKey,
  };
}
