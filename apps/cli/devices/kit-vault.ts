/**
 * What is saved here and a recovery kit: which kit opens it, and how it comes to a machine that a kit took in.
 *
 * @module
 */
import {
  admitKit,
  ClientError,
  opensVault,
  originOf,
  takeVaultByKit,
  vaultForKit,
  type RecoveryKit,
  type SyncOptions,
} from "@phantoma/client";
import type { VerifiedDeviceList } from "@phantoma/crypto";
import { VaultError } from "@phantoma/vault";
import type { Home } from "../home.ts";
import { withControl, type Peer } from "../session.ts";
import { withVault } from "../vault-store.ts";

/** The name of the vault that this machine has at the node. */
export function ownVault(home: Home, { profile }: Peer): Promise<Uint8Array | undefined> {
  return withVault(home, (local) => vaultForKit(local, originOf(profile)));
}

/** @param devices with the kit in it */
export async function admit(
  kit: RecoveryKit,
  peer: Peer,
  home: Home,
  devices: VerifiedDeviceList,
): Promise<void> {
  await atNode(peer, home, devices, (options) => admitKit(kit, options));
}

/** @returns how many came; `undefined` for a kit that opens no vault */
export async function takeSaved(
  kit: RecoveryKit,
  peer: Peer,
  home: Home,
  devices: VerifiedDeviceList,
): Promise<number | undefined> {
  try {
    if (!opensVault(kit)) return undefined;
    const { taken } = await atNode(peer, home, devices, (options) => takeVaultByKit(kit, options));
    return taken;
  } finally {
    kit.enclosed.erase();
  }
}

/** Of what comes after something that is done, and stays done: where it fails, its code. */
export async function outcomeOf<T>(
  attempt: Promise<T>,
): Promise<{ readonly result?: T; readonly failure?: string }> {
  try {
    return { result: await attempt };
  } catch (error) {
    if (error instanceof ClientError || error instanceof VaultError) return { failure: error.code };
    throw error;
  }
}

function atNode<T>(
  peer: Peer,
  home: Home,
  devices: VerifiedDeviceList,
  act: (options: SyncOptions) => Promise<T>,
): Promise<T> {
  const { profile, device } = peer;
  const node = new Uint8Array(Buffer.from(originOf(profile), "hex"));
  return withVault(home, (local) =>
    withControl(peer, ({ vault: link }) => act({ link, local, device, node, devices })),
  );
}
