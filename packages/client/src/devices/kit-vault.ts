/**
 * What a kit does for a vault: it is a member like any device, so every new key is wrapped to it too, and a kit that was
 * revoked gets none. Nothing of the vault is in the kit but its name.
 *
 *   made      the kit's card, signed by its key; whoever makes it admits it
 *   restored  the new machine names the kit, and the kit's key admits it
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { Secret, VAULT_ID_BYTES } from "@phantoma/crypto";
import { LocalVault } from "@phantoma/vault";
import { admitToVault, joinVault, publishCard, syncVault, type SyncResult } from "../vault-sync.ts";
import type { SyncOptions } from "../vault-options.ts";
import { openAsKit, openWhenLetIn, type RecoveryKit } from "./recovery-kit.ts";

/** The vault of this machine at the node that began with this key, as a new kit names it; `undefined` where it has none there. */
export function vaultForKit({ state }: LocalVault, origin: string): Uint8Array | undefined {
  const vault = state?.node === origin ? state.vault : null;
  return vault == null ? undefined : Buffer.from(vault, "hex");
}

export function opensVault({ enclosed }: RecoveryKit): boolean {
  return enclosed.expose().length === VAULT_ID_BYTES;
}

/**
 * From now on the kit has the vault's key.
 *
 * @param options of the device that makes it; its list has the kit
 * @throws `VaultError` or `ClientError`
 */
export async function admitKit(kit: RecoveryKit, options: SyncOptions): Promise<SyncResult> {
  const { identity, profile } = kit;
  const session = await openWhenLetIn(profile, identity);
  try {
    const own = { ...options, link: session.vault, device: identity };
    await publishCard(own, options.device.signing.publicKey);
  } finally {
    session.close();
  }
  return syncVault({ ...options, admit: identity.signing.publicKey });
}

/**
 * All that is saved comes to the new machine, which has the vault's key from now on.
 *
 * @param options of the new machine; its list has machine and kit
 * @throws `VaultError` or `ClientError`
 */
export async function takeVaultByKit(kit: RecoveryKit, options: SyncOptions): Promise<SyncResult> {
  const { identity, enclosed } = kit;
  await joinVault(options, identity.signing.publicKey);
  // The kit itself keeps nothing; it knows which vault it is to open.
  const local = LocalVault.open(":memory:", new Secret(randomBytes(32)));
  const { session } = await openAsKit(kit);
  try {
    const vault = enclosed.expose().toString("hex");
    const seen = { inviter: null, vault, head: null, epoch: null };
    const node = Buffer.from(options.node).toString("hex");
    const key = Buffer.from(options.devices.node).toString("hex");
    local.state = { node, key, devices: options.devices.version, ...seen };
    const own = { ...options, link: session.vault, local, device: identity };
    await admitToVault(own, options.device.signing.publicKey);
  } finally {
    session.close();
    local.close();
  }
  return syncVault(options);
}
