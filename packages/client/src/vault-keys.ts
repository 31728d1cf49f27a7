/**
 * A device's own X-Wing key, remade when it is needed and erased by whoever asked for it.
 *
 * @module
 */
import { loadXWing, vaultKeysOf, type DeviceIdentity, type XWingKeyPair } from "@phantoma/crypto";

export async function ownXWing(device: DeviceIdentity): Promise<XWingKeyPair> {
  const xWing = await loadXWing();
  const { xWingSeed, storeKey } = vaultKeysOf(device);
  storeKey.erase();
  const pair = xWing.fromSeed(xWingSeed);
  xWingSeed.erase();
  return pair;
}
