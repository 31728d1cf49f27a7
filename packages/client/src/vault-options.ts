/**
 * What a sync is between, and for whom.
 *
 * @module
 */
import type { DeviceIdentity, DeviceList } from "@phantoma/crypto";
import type { LocalVault } from "@phantoma/vault";
import type { VaultLink } from "./vault-link.ts";

export interface SyncOptions {
  readonly link: VaultLink;
  readonly local: LocalVault;
  readonly device: DeviceIdentity;
  /** By the key that it began with. */
  readonly node: Uint8Array;
  /** Verified; only its active devices get a key. */
  readonly devices: DeviceList;
  /** By its signing key: gets the vault's key from now on. */
  readonly admit?: Uint8Array;
  readonly now?: number;
}
