/**
 * What a node shows of a vault, accepted only where it continues what this device has seen.
 *
 * @module
 */
import {
  documentHash,
  sameBytes,
  vaultHeadDocument,
  vaultRoot,
  type VaultHead,
  type VaultRow,
} from "@phantoma/crypto";
import {
  openEpochs,
  openHeads,
  openKeyring,
  VaultError,
  type EpochChain,
  type LocalVault,
  type VaultKeyring,
  type VaultState,
} from "@phantoma/vault";
import { ownXWing } from "./vault-keys.ts";
import type { SyncOptions } from "./vault-options.ts";

export interface Followed {
  readonly head: VaultHead;
  /** What to remember when all of it was taken. */
  readonly state: VaultState;
  readonly chain: EpochChain;
  readonly keyring: VaultKeyring;
  /** All that the vault holds, as signed. */
  readonly rows: ReadonlyMap<string, VaultRow>;
}

/**
 * @returns `undefined` where the device has no vault at the node
 * @throws {@link VaultError}
 */
export async function followVault(options: SyncOptions): Promise<Followed | undefined> {
  const { link, local, node, devices, device } = options;
  const { head: untrustedHead, wraps } = await link.state();
  if (!untrustedHead) return undefined;
  const state = local.state!;
  const chain = openEpochs(await link.epochs(), node, state.epoch ?? undefined);
  assertOurs(chain, state, device.signing.publicKey);
  const seen = state.head ?? undefined;
  const newest = chain.epochs.at(-1)!;
  const heads = await link.heads(seen ? seen.version : newest.since - 1);
  const opened = openHeads(heads, chain, seen, devices) ?? sameAsSeen(untrustedHead, seen);
  const { head } = opened;
  // One was read before a commit of another device, the other after it.
  if (head.epoch !== newest.epoch)
    throw new VaultError("ERR_VAULT_CONFLICT", "the vault changed while it was read");
  // The wraps came with the first answer: of the epoch that its head names.
  const first = vaultHeadDocument.open(untrustedHead, ({ signer }) => signer);
  if (!sameBytes(first.epochDocument, chain.hashes.at(-1)!))
    throw new VaultError("ERR_VAULT_CONFLICT", "the vault's key turned while it was read");
  const pair = await ownXWing(device);
  const keyring = openKeyring(chain.epochs, wraps, device.signing.publicKey, pair);
  pair.erase();
  try {
    const rows = await signedRows(options, head, seen?.version ?? 0);
    return {
      head,
      chain,
      keyring,
      rows,
      state: {
        ...state,
        vault: hex(newest.vault),
        head: opened.seen,
        epoch: { epoch: newest.epoch, hash: hex(chain.hashes.at(-1)!) },
      },
    };
  } catch (error) {
    keyring.erase();
    throw error;
  }
}

/** Nobody is moved into a stranger's vault: this device made it, knows it, or was told who invites. */
function assertOurs({ epochs }: EpochChain, state: VaultState, device: Uint8Array): void {
  const { vault } = epochs[0]!;
  if (state.vault !== null) {
    if (state.vault === hex(vault)) return;
    throw new VaultError("ERR_VAULT_FORKED", "the node shows another vault than before");
  }
  const entry = epochs.find(({ members }) => members.some((m) => sameBytes(m.device, device)));
  const isOwn = state.inviter === null && sameBytes(epochs[0]!.signer, device);
  if (isOwn || (entry && state.inviter === hex(entry.signer))) return;
  throw new VaultError("ERR_VAULT_NOT_JOINED", "another device offers to share its vault");
}

/** Nothing newer came: then the newest must be the one that was seen. */
function sameAsSeen(untrusted: Uint8Array, seen: VaultState["head"] | undefined) {
  const hash = hex(documentHash(untrusted));
  if (seen && hash === seen.hash)
    return { head: vaultHeadDocument.open(untrusted, ({ signer }) => signer), seen };
  throw new VaultError("ERR_VAULT_ROLLED_BACK", "the node shows an earlier state than before");
}

/** What changed since it was last seen; all of it where that does not give what was signed. */
async function signedRows(
  { link, local }: SyncOptions,
  head: VaultHead,
  seenVersion: number,
): Promise<ReadonlyMap<string, VaultRow>> {
  const known = knownRows(local);
  if (head.version > seenVersion)
    for (const row of await link.rows(head.version, seenVersion)) known.set(row.object, row);
  const rows = isRoot(head, known) ? known : byName(await link.rows(head.version, 0));
  if (!isRoot(head, rows))
    throw new VaultError("ERR_VAULT_FORGED", "what the node lists is not what was signed");
  // Every version of the vault adds one to it at most: more would be a leap to the counter's end.
  if ([...rows.values()].some(({ revision }) => revision < 1 || revision > head.version))
    throw new VaultError("ERR_VAULT_FORGED", "an object has more revisions than the vault had");
  // One that was deleted and said again elsewhere begins anew: whether the node goes back, the chain of heads says.
  return rows;
}

function knownRows(local: LocalVault): Map<string, VaultRow> {
  const known = new Map<string, VaultRow>();
  for (const [object, { base }] of local.rows()) if (base) known.set(object, { object, ...base });
  return known;
}

function byName(rows: readonly VaultRow[]): Map<string, VaultRow> {
  return new Map(rows.map((row) => [row.object, row]));
}

function isRoot(head: VaultHead, rows: ReadonlyMap<string, VaultRow>): boolean {
  return head.objects === rows.size && sameBytes(head.root, vaultRoot(rows.values()));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
