/**
 * What changed at the node, opened and joined with what is here.
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import type { VaultRow } from "@phantoma/crypto";
import {
  encodeConversation,
  isSameConversation,
  mergeConversations,
  openObject,
  parseConversation,
  VaultError,
  type LocalVault,
  type SavedConversation,
} from "@phantoma/vault";
import type { Followed } from "./vault-follow.ts";
import type { SyncOptions } from "./vault-options.ts";

/**
 * What no device can open is left out: one member that signed it does not stop the others.
 *
 * @returns how many came, how many of them were changed here as well, and the names of those that do not open
 */
export async function takeChanges(
  { link, local }: SyncOptions,
  followed: Followed,
): Promise<{
  readonly taken: number;
  readonly merged: number;
  readonly damaged: readonly string[];
}> {
  const { rows, state } = followed;
  const wanted = [...rows.values()].filter(
    ({ object, hash }) => local.rows().get(object)?.base?.hash !== hash,
  );
  let merged = 0;
  const damaged: string[] = [];
  for (let at = 0; at < wanted.length;) {
    const blobs = await link.get(wanted.slice(at).map(({ object }) => object));
    const opened = blobs.map((blob, i) => openRow(followed, wanted[at + i]!, blob));
    local.together(() => {
      for (const [i, conversation] of opened.entries()) {
        const row = wanted[at + i]!;
        if (conversation) merged += take(local, row, conversation) ? 1 : 0;
        else if (!replaces(local, row)) damaged.push(row.object);
      }
    });
    at += blobs.length;
  }
  local.together(() => {
    for (const [id, { base, isChanged, wasDeleted }] of local.rows()) {
      if (rows.has(id) || (!base && !local.isUnreadable(id))) continue;
      // Removed by another device; what was said here since, it did not know.
      if (isChanged && !wasDeleted) local.put(id, local.get(id), null, true);
      else local.forget(id);
    }
    local.state = state;
  });
  return { taken: wanted.length - damaged.length, merged, damaged };
}

/**
 * @returns `undefined` for bytes that were signed, and do not open
 * @throws {@link VaultError} where they are others than were signed: that is the node's doing
 */
function openRow(
  { keyring }: Followed,
  { object, revision, hash }: VaultRow,
  untrusted: Uint8Array,
): SavedConversation | undefined {
  if (createHash("sha256").update(untrusted).digest("hex") !== hash)
    throw new VaultError("ERR_VAULT_FORGED", "the node gives other bytes than were signed");
  let plaintext: Buffer | undefined;
  try {
    plaintext = openObject(keyring, { object, revision }, untrusted);
    const conversation = parseConversation(JSON.parse(plaintext.toString("utf8")));
    return conversation.id === object ? conversation : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof VaultError) return undefined;
    throw error;
  } finally {
    plaintext?.fill(0);
  }
}

/** @returns whether what waits here to be sent takes the place of what does not open */
function replaces(local: LocalVault, { object: id, revision, hash }: VaultRow): boolean {
  const known = local.rows().get(id);
  if (!known) local.markUnreadable(id);
  if (!known?.isChanged) return false;
  const base = { revision, hash };
  if (known.wasDeleted) local.markDeleted(id, base);
  else local.put(id, local.get(id), base, true);
  return true;
}

/** @returns whether something from here was joined with it */
function take(local: LocalVault, row: VaultRow, theirs: SavedConversation): boolean {
  const { object: id, revision, hash } = row;
  const base = { revision, hash };
  const known = local.rows().get(id);
  if (!known?.isChanged || known.wasDeleted) {
    local.put(id, theirs, base, false);
    return false;
  }
  const ours = local.get(id);
  const both = mergeConversations(ours, theirs);
  try {
    encodeConversation(both).fill(0);
    local.put(id, both, base, !isSameConversation(both, theirs));
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    // Together they are too long for one: both stay, as two.
    const copy = randomBytes(8).toString("hex");
    local.put(copy, { ...ours, id: copy }, null, true);
    local.put(id, theirs, base, false);
  }
  return true;
}
