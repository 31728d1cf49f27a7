/**
 * How a node gets another key: what an admin's device signs for it, and how every other device follows.
 *
 *   admin's device   list of the old key ──> first list of the new key, and its approval
 *   node             its old key signs around the approval; the gateway tells whoever still names the old key
 *   any device       believes it by the key that it has, and by an admin whom it has seen
 *
 * @module
 */
import {
  activeAdmin,
  approveSuccession,
  CryptoError,
  deviceListDocument,
  documentHash,
  NO_PREVIOUS,
  openSuccession,
  sameBytes,
  type DeviceIdentity,
  type Succession,
  type VerifiedDeviceList,
} from "@phantoma/crypto";
import { ClientError } from "./client-error.ts";
import type { SeenDevices } from "./devices/seen-devices.ts";
import { withNextKey, type NodeProfile } from "./node-profile.ts";

export interface SignedSuccession {
  /** The first list of the new key: every device in its place. */
  readonly list: Uint8Array;
  readonly approved: Omit<Succession, "approval">;
  readonly approval: Uint8Array;
}

/** @throws {@link ClientError} `ERR_FORBIDDEN` where this device is no admin */
export function signSuccession(
  admin: DeviceIdentity,
  current: VerifiedDeviceList,
  to: Uint8Array,
  now: number,
): SignedSuccession {
  const { publicKey: signer, privateKey } = admin.signing;
  if (!activeAdmin(current, signer))
    throw new ClientError("ERR_FORBIDDEN", "only an admin's device can let a node change its key");
  const { node: from, devices } = current;
  const issuedAt = Math.max(now, current.issuedAt);
  const first = { node: to, version: 1, previous: NO_PREVIOUS, issuedAt, signer, devices };
  const list = deviceListDocument.sign(first, privateKey);
  const approved = { from, to, devices: documentHash(list), issuedAt, admin: signer };
  return { list, approved, approval: approveSuccession(approved, privateKey) };
}

/**
 * What a device makes of a succession that its node showed.
 *
 * @param seen the newest list of the old key that this device saw; where there was none, nobody's approval counts
 * @throws {@link ClientError} `ERR_NODE_IDENTITY`
 */
export function followSuccession(
  profile: NodeProfile,
  untrusted: Uint8Array,
  seen: SeenDevices | undefined,
): { readonly profile: NodeProfile; readonly seen: SeenDevices } {
  const { to, devices, admin } = opened(profile, untrusted);
  if (seen?.nodeKey !== profile.nodeKey || !seen.admins.includes(hex(admin)))
    throw new ClientError(
      "ERR_NODE_IDENTITY",
      "the node shows another key, and no admin whom this machine has seen approved it; if one was added meanwhile, pair this device anew",
    );
  const nodeKey = hex(to);
  const next = { nodeKey, version: 1, hash: hex(devices), admins: seen.admins };
  return { profile: withNextKey(profile, nodeKey), seen: next };
}

function opened({ nodeKey }: NodeProfile, untrusted: Uint8Array): Succession {
  try {
    const succession = openSuccession(untrusted, Buffer.from(nodeKey, "hex"));
    if (!sameBytes(succession.to, succession.from)) return succession;
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
  }
  throw new ClientError(
    "ERR_NODE_IDENTITY",
    "the node shows another key, which the one that this machine knows did not sign",
  );
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
