/**
 * What a node's device list lets this device do, so that the page offers no more.
 *
 * A hint for the page, not a check: the node decides for itself, and so does its warden.
 *
 * @module
 */
import { deviceListDocument, sameBytes, type DeviceIdentity } from "@phantoma/crypto";
import type { NodeView } from "../ipc/node.ts";

/** @param list as the node gave it; one that nobody signed says nothing */
export function roleIn(list: Uint8Array, { signing }: DeviceIdentity): NodeView["role"] {
  try {
    const { devices } = deviceListDocument.open(list, ({ signer }) => signer);
    const ours = devices.find(
      ({ signingKey, revokedAt }) => revokedAt === null && sameBytes(signingKey, signing.publicKey),
    );
    return ours?.role ?? null;
  } catch {
    return null;
  }
}
