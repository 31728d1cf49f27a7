/**
 * What a device's vault is kept with, made from the device's own keys: whoever locks or moves the device's keys has
 * locked or moved these too.
 *
 * @module
 */
import { hkdfSync } from "node:crypto";
import { exportDeviceIdentity, type DeviceIdentity } from "./identity.ts";
import { Secret } from "./secret.ts";

export interface VaultKeys {
  /** Of the device's X-Wing key, to which other devices wrap the vault's key. */
  readonly xWingSeed: Secret;
  /** Seals the rows of the store on this machine. */
  readonly storeKey: Secret;
}

export function vaultKeysOf(device: DeviceIdentity): VaultKeys {
  const exported = exportDeviceIdentity(device);
  const derive = (use: string) =>
    new Secret(
      Buffer.from(hkdfSync("sha256", exported.expose(), new Uint8Array(32), `phantoma ${use}`, 32)),
    );
  try {
    return { xWingSeed: derive("vault x-wing v1"), storeKey: derive("vault store v1") };
  } finally {
    exported.erase();
  }
}
