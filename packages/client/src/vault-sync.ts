/**
 * Brings a local vault and its node's copy together, whichever of the two changed.
 *
 *   follow   what the node shows continues what was seen, and is signed by devices of the vault
 *   take     what changed there, opened and merged into what is here
 *   give     what changed here, sealed, as the next version; if another device was faster, from the beginning
 *
 * Concurrent edits are both kept: their messages are joined, and an edit wins over a deletion that did not know of it.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import {
  activeDevice,
  sameBytes,
  vaultCardDocument,
  vaultEpochDocument,
  VAULT_ID_BYTES,
  loadXWing,
} from "@phantoma/crypto";
import {
  makeEpoch,
  openCards,
  VaultError,
  type LocalVault,
  type VaultState,
} from "@phantoma/vault";
import { ClientError } from "./client-error.ts";
import { followVault, type Followed } from "./vault-follow.ts";
import { firstHead, giveChanges } from "./vault-give.ts";
import type { VaultLink } from "./vault-link.ts";
import type { SyncOptions } from "./vault-options.ts";
import { takeChanges } from "./vault-take.ts";
import { ownXWing } from "./vault-keys.ts";

export interface SyncResult {
  /** Conversations that came from the node. */
  readonly taken: number;
  /** Of those, the ones that were joined with changes from here. */
  readonly merged: number;
  /** Conversations that were sent, or removed there. */
  readonly given: number;
  /** Whether a new vault key was made: a device came or went. */
  readonly hasTurned: boolean;
  readonly usedBytes: number;
  readonly maxBytes: number;
}

/** With that many devices at once something else is wrong. */
const MAX_ATTEMPTS = 12;
/** In one message, for a person. */
const MAX_NAMED = 8;

/** @throws {@link VaultError} or {@link ClientError} */
export async function syncVault(options: SyncOptions): Promise<SyncResult> {
  const { local, node, devices } = options;
  const state = local.state ?? freshState(node);
  if (state.node !== hex(node))
    throw new VaultError(
      "ERR_VAULT_OTHER_NODE",
      "the saved conversations are kept on another node",
    );
  const key = hex(devices.node);
  if (key === (state.key ?? state.node) && devices.version < state.devices)
    throw new VaultError(
      "ERR_VAULT_ROLLED_BACK",
      "the node shows an older device list than before",
    );
  local.state = { ...state, devices: devices.version, key };
  let taken = 0;
  let merged = 0;
  let given = 0;
  let hasTurned = false;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    try {
      const followed = await followVault(options);
      if (!followed) {
        await createVault(options);
        continue;
      }
      try {
        const took = await takeChanges(options, followed);
        taken += took.taken;
        merged += took.merged;
        const turn = await neededTurn(options, followed, hasTurned ? undefined : options.admit);
        const gave = await giveChanges(options, followed, turn);
        given += gave.given;
        hasTurned ||= turn !== undefined;
        if (!gave.isMore) {
          assertAllOpened(took.damaged);
          const { usedBytes, maxBytes } = await options.link.state();
          return { taken, merged, given, hasTurned, usedBytes, maxBytes };
        }
        // What was given counts as one step, however many commits it takes.
        attempt = 0;
      } finally {
        followed.keyring.erase();
      }
    } catch (error) {
      if (!wasOvertaken(error)) throw error;
    }
  }
  return overtakenAgain();
}

/**
 * Lets a device in, and takes nothing of what is saved: for a kit, which keeps nothing.
 *
 * @throws {@link VaultError} or {@link ClientError}
 */
export async function admitToVault(options: SyncOptions, device: Uint8Array): Promise<void> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const followed = await followVault(options);
    if (!followed) throw new VaultError("ERR_VAULT_KEY", "the vault's key is not for this device");
    try {
      const turn = await neededTurn(options, followed, device);
      await giveChanges(options, followed, turn);
      return;
    } catch (error) {
      if (!wasOvertaken(error)) throw error;
    } finally {
      followed.keyring.erase();
    }
  }
  overtakenAgain();
}

/**
 * This device will have the vault of `inviter`, once that has admitted it. Another vault that it has at the node is left,
 * and given up if nobody shares it; what is saved here stays and goes into the other one.
 */
export async function joinVault(options: SyncOptions, inviter: Uint8Array): Promise<void> {
  const { link, local, node, devices } = options;
  if (!activeDevice(devices, inviter))
    throw new VaultError("ERR_VAULT_NOT_JOINED", "no such device is in the node's list");
  if (local.state?.vault != null || !(await hasVaultOf(options, inviter))) await left(link);
  await publishCard(options, inviter);
  forgetNode(local);
  const seen = { devices: devices.version, key: hex(devices.node) };
  local.state = { ...freshState(node), ...seen, inviter: hex(inviter) };
}

/** The node's copy goes where no other device shares it; what is saved here stays. */
export async function leaveVault({ link, local }: Pick<SyncOptions, "link" | "local">) {
  await left(link);
  forgetNode(local);
  local.state = undefined;
}

/** A node that no longer has it, or does not let it go, keeps nobody. */
async function left(link: VaultLink): Promise<void> {
  try {
    await link.leave();
  } catch (error) {
    const isGone =
      error instanceof ClientError && ["ERR_VAULT_UNKNOWN", "ERR_FORBIDDEN"].includes(error.code);
    if (!isGone) throw error;
  }
}

/** At the end: what opens was taken, and what is here was given. */
function assertAllOpened(damaged: readonly string[]): void {
  if (damaged.length === 0) return;
  const names = damaged.slice(0, MAX_NAMED).join(" ");
  throw new VaultError(
    "ERR_VAULT_DAMAGED",
    `all but ${damaged.length} saved by a device in a way that does not open here: ${names}; update this program, or delete them`,
  );
}

function freshState(node: Uint8Array): VaultState {
  return { node: hex(node), devices: 0, inviter: null, vault: null, head: null, epoch: null };
}

function forgetNode(local: LocalVault): void {
  local.together(() => {
    for (const [id, { wasDeleted }] of local.rows())
      if (wasDeleted) local.forget(id);
      else local.put(id, local.get(id), null, true);
  });
}

/** Whether the two share one there already. */
async function hasVaultOf({ link }: SyncOptions, inviter: Uint8Array): Promise<boolean> {
  if (!(await link.state()).head) return false;
  const [newest] = (await link.epochs()).slice(-1);
  if (!newest) return false;
  const { members } = vaultEpochDocument.open(newest, ({ signer }) => signer);
  return members.some((member) => sameBytes(member.device, inviter));
}

async function createVault(options: SyncOptions): Promise<void> {
  const { link, local, device, node, devices, now = Date.now() } = options;
  const { state } = local;
  if (state?.vault != null)
    throw new VaultError(
      "ERR_VAULT_ROLLED_BACK",
      "the node no longer has the vault, or this device in it",
    );
  if (state?.inviter != null)
    throw new VaultError("ERR_VAULT_KEY", "no device has admitted this one yet");
  await publishCard(options);
  const vault = new Uint8Array(randomBytes(VAULT_ID_BYTES));
  const own = openCards(await link.cards(), node, devices).filter((card) =>
    sameBytes(card.device, device.signing.publicKey),
  );
  const facts = { node, vault, before: undefined, keyring: undefined, since: 1, cards: own, now };
  const epoch = makeEpoch(await loadXWing(), device, facts);
  const head = firstHead(device, node, vault, epoch.document, now);
  await link.commit({
    head,
    epoch: epoch.document,
    wraps: epoch.wraps,
    changes: new Uint8Array(0),
  });
}

/** The cards of those who shall have the next key; `undefined` while the key may stay. */
async function neededTurn(
  { link, node, devices, device }: SyncOptions,
  { chain }: Followed,
  admit: Uint8Array | undefined,
) {
  const { members } = chain.epochs.at(-1)!;
  const keys = members.map((member) => member.device);
  const active = keys.filter((key) => activeDevice(devices, key));
  // One that left and asked again is a member of the newest epoch still: it gets another one.
  if (active.length === keys.length && !admit) return undefined;
  const cards = openCards(await link.cards(), node, devices);
  const cardOf = (key: Uint8Array) => cards.find((card) => sameBytes(card.device, key));
  const isOld = admit !== undefined && keys.some((key) => sameBytes(key, admit));
  const wanted = admit && !isOld ? [...active, admit] : active;
  // Whoever leaves takes its card away.
  const own = device.signing.publicKey;
  return wanted.flatMap((key) => {
    const card = cardOf(key);
    if (card) return [card];
    if (!sameBytes(key, own) && !(admit && sameBytes(key, admit))) return [];
    throw new VaultError("ERR_VAULT_CARD", "a device has published no key of its own yet");
  });
}

/** So that others can wrap to this device; once is enough. */
export async function publishCard(
  { link, device, node, now = Date.now() }: SyncOptions,
  inviter?: Uint8Array,
): Promise<void> {
  const pair = await ownXWing(device);
  const key = pair.publicKey;
  pair.erase();
  const own = { node, device: device.signing.publicKey, key, issuedAt: now };
  await link.publishCard(vaultCardDocument.sign(own, device.signing.privateKey), inviter);
}

function overtakenAgain(): never {
  throw new VaultError("ERR_VAULT_CONFLICT", "other devices changed the vault all the time");
}

/** By another device: what was prepared is worth nothing now. */
function wasOvertaken(error: unknown): boolean {
  return (
    (error instanceof ClientError || error instanceof VaultError) &&
    ["ERR_VAULT_CONFLICT", "ERR_VAULT_UNKNOWN"].includes(error.code)
  );
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
