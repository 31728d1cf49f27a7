/**
 * A device's fingerprint: of both public keys, so that one whose tunnel key alone was swapped shows another.
 *
 * @module
 */
import { fingerprint, type Device } from "@phantoma/crypto";

export function deviceFingerprint({
  signingKey,
  tunnelKey,
}: Pick<Device, "signingKey" | "tunnelKey">): string {
  return fingerprint(Buffer.concat([signingKey, tunnelKey]));
}
