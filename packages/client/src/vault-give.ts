/**
 * What changed here, sealed and committed as the next version of the vault.
 *
 * @module
 */
import { createHash } from "node:crypto";
import {
  documentHash,
  encodeVaultRow,
  loadXWing,
  NO_PREVIOUS,
  vaultEpochDocument,
  vaultHeadDocument,
  vaultRoot,
  type DeviceIdentity,
  type VaultCard,
  type VaultRow,
} from "@phantoma/crypto";
import {
  encodeConversation,
  isSameConversation,
  makeEpoch,
  openKeyring,
  sealObject,
  type LocalVault,
  type SavedConversation,
  type VaultKeyring,
} from "@phantoma/vault";
import type { Followed } from "./vault-follow.ts";
import type { SyncOptions } from "./vault-options.ts";
import { ownXWing } from "./vault-keys.ts";

/** So many go into one commit: when another device is faster, this much is sealed again. */
const MAX_PER_COMMIT = 1000;
/** Under way at once: a session has 16 streams. */
const PUTS_AT_ONCE = 8;

const ZERO_HASH = "00".repeat(32);

interface Given {
  readonly id: string;
  readonly row: VaultRow;
  /** As it was sealed; `undefined` where it was removed. */
  readonly conversation: SavedConversation | undefined;
}

/**
 * @param turn cards of those who get a new vault key; absent while it stays
 * @returns whether something is left to give
 */
export async function giveChanges(
  options: SyncOptions,
  followed: Followed,
  turn: readonly VaultCard[] | undefined,
): Promise<{ readonly given: number; readonly isMore: boolean }> {
  const { link, local, device, node, now = Date.now() } = options;
  const changed = [...local.rows()].filter(([, { isChanged }]) => isChanged);
  if (changed.length === 0 && !turn) return { given: 0, isMore: false };
  const { head, chain, state } = followed;
  const version = head.version + 1;
  const epoch = turn ? await turned(options, followed, turn, version) : undefined;
  const keyring = epoch?.keyring ?? followed.keyring;
  try {
    const given: Given[] = [];
    for (let at = 0; at < Math.min(changed.length, MAX_PER_COMMIT); at += PUTS_AT_ONCE) {
      const some = changed.slice(at, Math.min(at + PUTS_AT_ONCE, MAX_PER_COMMIT));
      given.push(...(await Promise.all(some.map(([id]) => give(options, keyring, id)))));
    }
    const rows = new Map(followed.rows);
    for (const { id, row, conversation } of given)
      if (conversation) rows.set(id, row);
      else rows.delete(id);
    const next = vaultHeadDocument.sign(
      {
        node,
        vault: head.vault,
        version,
        previous: Buffer.from(state.head!.hash, "hex"),
        epoch: keyring.epoch,
        epochDocument: epoch ? documentHash(epoch.document) : chain.hashes.at(-1)!,
        objects: rows.size,
        root: vaultRoot(rows.values()),
        issuedAt: now,
        signer: device.signing.publicKey,
      },
      device.signing.privateKey,
    );
    await link.commit({
      head: next,
      epoch: epoch?.document,
      wraps: epoch?.wraps ?? new Uint8Array(0),
      changes: Buffer.concat(given.map(({ row }) => encodeVaultRow(row))),
    });
    local.together(() => {
      for (const one of given) settle(local, one);
      local.state = {
        ...state,
        head: { version, hash: hex(documentHash(next)) },
        epoch: epoch
          ? { epoch: keyring.epoch, hash: hex(documentHash(epoch.document)) }
          : state.epoch,
      };
    });
    return { given: given.length, isMore: changed.length > given.length };
  } finally {
    epoch?.keyring.erase();
  }
}

/** The first version of a new vault, which holds nothing. */
export function firstHead(
  device: DeviceIdentity,
  node: Uint8Array,
  vault: Uint8Array,
  epoch: Uint8Array,
  now: number,
): Uint8Array {
  return vaultHeadDocument.sign(
    {
      node,
      vault,
      version: 1,
      previous: NO_PREVIOUS,
      epoch: 1,
      epochDocument: documentHash(epoch),
      objects: 0,
      root: vaultRoot([]),
      issuedAt: now,
      signer: device.signing.publicKey,
    },
    device.signing.privateKey,
  );
}

async function turned(
  { device, node, now = Date.now() }: SyncOptions,
  { chain, keyring, head }: Followed,
  cards: readonly VaultCard[],
  since: number,
) {
  const before = { epoch: chain.epochs.at(-1)!, hash: chain.hashes.at(-1)! };
  const facts = { node, vault: head.vault, before, keyring, since, cards, now };
  const epoch = makeEpoch(await loadXWing(), device, facts);
  const opened = vaultEpochDocument.open(epoch.document, ({ signer }) => signer);
  const pair = await ownXWing(device);
  const next = openKeyring([...chain.epochs, opened], epoch.wraps, device.signing.publicKey, pair);
  pair.erase();
  return { ...epoch, keyring: next };
}

async function give(
  { link, local }: SyncOptions,
  keyring: VaultKeyring,
  id: string,
): Promise<Given> {
  const { base, wasDeleted } = local.rows().get(id)!;
  const revision = (base?.revision ?? 0) + 1;
  if (wasDeleted)
    return { id, row: { object: id, revision, hash: ZERO_HASH }, conversation: undefined };
  const conversation = local.get(id);
  const plaintext = encodeConversation(conversation);
  const blob = sealObject(keyring, { object: id, revision }, plaintext);
  plaintext.fill(0);
  await link.put(blob);
  const hash = createHash("sha256").update(blob).digest("hex");
  return { id, row: { object: id, revision, hash }, conversation };
}

/** It may have been changed again while it was sent. */
function settle(local: LocalVault, { id, row, conversation }: Given): void {
  const known = local.rows().get(id);
  if (!conversation) {
    if (known?.wasDeleted) local.forget(id);
    else if (known) local.put(id, local.get(id), null, true);
    return;
  }
  const base = { revision: row.revision, hash: row.hash };
  if (!known || known.wasDeleted) return local.markDeleted(id, base);
  const now = local.get(id);
  local.put(id, now, base, !isSameConversation(now, conversation));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
