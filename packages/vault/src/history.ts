/**
 * What a node shows of a vault's past, judged: who shared its keys, and one unbroken line of heads.
 *
 * A node can withhold and it can keep old bytes; it can make nothing new. So a device remembers how far it has come, and
 * accepts only what continues from there.
 *
 * @module
 */
import {
  CryptoError,
  documentHash,
  NO_PREVIOUS,
  sameBytes,
  vaultCardDocument,
  vaultEpochDocument,
  vaultHeadDocument,
  type DeviceList,
  type VaultCard,
  type VaultEpoch,
  type VaultHead,
} from "@phantoma/crypto";
import { VaultError } from "./vault-error.ts";

export interface SeenHead {
  readonly version: number;
  /** Of its document, in hex. */
  readonly hash: string;
}

export interface SeenEpoch {
  readonly epoch: number;
  /** Of its document, in hex. */
  readonly hash: string;
}

export interface EpochChain {
  /** The first first. */
  readonly epochs: readonly VaultEpoch[];
  readonly hashes: readonly Uint8Array[];
}

/**
 * @param documents all epochs of the vault, the first first
 * @throws {@link VaultError} `ERR_VAULT_FORGED`, `ERR_VAULT_ROLLED_BACK` or `ERR_VAULT_FORKED`
 */
export function openEpochs(
  documents: readonly Uint8Array[],
  node: Uint8Array,
  seen: SeenEpoch | undefined,
): EpochChain {
  const epochs: VaultEpoch[] = [];
  const hashes: Uint8Array[] = [];
  for (const document of documents) {
    const epoch = opened(() => vaultEpochDocument.open(document, ({ signer }) => signer));
    const before = epochs.at(-1);
    assertFollows(epoch, before, hashes.at(-1), node);
    epochs.push(epoch);
    hashes.push(documentHash(document));
  }
  if (epochs.length === 0) forged("a vault without a key");
  if (seen && epochs.length < seen.epoch)
    throw new VaultError("ERR_VAULT_ROLLED_BACK", "the node shows an older key than before");
  if (seen && hex(hashes[seen.epoch - 1]!) !== seen.hash)
    throw new VaultError("ERR_VAULT_FORKED", "the node shows other devices' keys than before");
  return { epochs, hashes };
}

/**
 * @param documents heads after `seen`, or from any on where nothing was seen
 * @returns the newest, and what to remember of it; `undefined` where nothing is newer
 * @throws {@link VaultError} `ERR_VAULT_FORGED`, `ERR_VAULT_ROLLED_BACK` or `ERR_VAULT_FORKED`
 */
export function openHeads(
  documents: readonly Uint8Array[],
  chain: EpochChain,
  seen: SeenHead | undefined,
  devices: Pick<DeviceList, "devices">,
): { readonly head: VaultHead; readonly seen: SeenHead } | undefined {
  let last = seen;
  let newest: VaultHead | undefined;
  for (const document of documents) {
    const head = opened(() => vaultHeadDocument.open(document, ({ signer }) => signer));
    assertSigner(head, chain, devices);
    if (last && head.version <= last.version)
      throw new VaultError("ERR_VAULT_ROLLED_BACK", "the node shows an earlier state than before");
    if (last && (head.version !== last.version + 1 || hex(head.previous) !== last.hash))
      throw new VaultError(
        "ERR_VAULT_FORKED",
        "what the node shows does not continue what was seen",
      );
    last = { version: head.version, hash: hex(documentHash(document)) };
    newest = head;
  }
  // A device that comes new has seen nothing: whoever admitted it says from where on.
  const { since } = chain.epochs.at(-1)!;
  if (last && last.version < since)
    throw new VaultError(
      "ERR_VAULT_ROLLED_BACK",
      "the node keeps back what came with the last key",
    );
  return newest && last ? { head: newest, seen: last } : undefined;
}

/** The devices' published keys, of those that may be wrapped to. @throws {@link VaultError} `ERR_VAULT_FORGED` */
export function openCards(
  documents: readonly Uint8Array[],
  node: Uint8Array,
  { devices }: Pick<DeviceList, "devices">,
): VaultCard[] {
  const cards = documents.map((document) =>
    opened(() => vaultCardDocument.open(document, ({ device }) => device)),
  );
  return cards.filter(
    (card) =>
      sameBytes(card.node, node) &&
      devices.some((d) => d.revokedAt === null && sameBytes(d.signingKey, card.device)),
  );
}

function assertFollows(
  epoch: VaultEpoch,
  before: VaultEpoch | undefined,
  hash: Uint8Array | undefined,
  node: Uint8Array,
): void {
  if (!sameBytes(epoch.node, node)) forged("a vault of another node");
  if (epoch.epoch !== (before?.epoch ?? 0) + 1) forged("a key is missing or out of order");
  if (!sameBytes(epoch.previous, hash ?? NO_PREVIOUS)) forged("a key that follows another one");
  if (before && !sameBytes(epoch.vault, before.vault)) forged("a key of another vault");
  if (before && epoch.since <= before.since) forged("a key that begins before the one before");
  if ((epoch.carriedKey === null) !== (before === undefined))
    forged("a key without the one before");
  if (!hasMember(before ?? epoch, epoch.signer)) forged("a key made by a device without the vault");
}

/**
 * By a device that had the key then, and was not revoked by that time as it says it. Where a later key leaves it out, whoever
 * made that key had taken this state before: what time it says no longer matters.
 */
function assertSigner(
  head: VaultHead,
  { epochs, hashes }: EpochChain,
  { devices }: Pick<DeviceList, "devices">,
): void {
  const epoch = epochs[head.epoch - 1];
  const next = epochs[head.epoch];
  if (!epoch) return forged("a state under a key that nobody made");
  if (!sameBytes(head.node, epoch.node) || !sameBytes(head.vault, epoch.vault))
    forged("a state of another vault");
  if (!sameBytes(head.epochDocument, hashes[head.epoch - 1]!)) forged("a state under another key");
  if (head.version < epoch.since || (next && head.version >= next.since))
    forged("a state under a key that was not in use then");
  if (!hasMember(epoch, head.signer)) forged("a state signed by a device without the vault");
  if (epochs.slice(head.epoch).some((later) => !hasMember(later, head.signer))) return;
  const device = devices.find((d) => sameBytes(d.signingKey, head.signer));
  if (device && device.revokedAt !== null && head.issuedAt > device.revokedAt)
    forged("a state signed by a revoked device");
}

function hasMember({ members }: VaultEpoch, device: Uint8Array): boolean {
  return members.some((member) => sameBytes(member.device, device));
}

function opened<T>(open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    throw new VaultError("ERR_VAULT_FORGED", error.message);
  }
}

function forged(message: string): never {
  throw new VaultError("ERR_VAULT_FORGED", message);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
