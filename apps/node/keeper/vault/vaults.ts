/**
 * All vaults of a node: ciphertext of whoever owns it, which only devices of that vault may read, change or remove.
 *
 * The keeper checks who signed and that nothing is overwritten unseen; what is sealed it cannot open. A version replaces
 * the one before only if it names it: of two devices that commit at once, one is told to sync again.
 *
 * @module
 */
import {
  activeDevice,
  CryptoError,
  decodeVaultRows,
  documentHash,
  MAX_VAULT_BLOB_BYTES,
  MAX_VAULT_OBJECTS,
  NO_PREVIOUS,
  sameBytes,
  vaultCardDocument,
  vaultEpochDocument,
  vaultHeadDocument,
  vaultRoot,
  type DeviceList,
  type VaultEpoch,
  type VaultHead,
} from "@phantoma/crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { KeeperRefusal } from "../../ipc/keeper-link.ts";
import { MAX_EPOCHS, VaultFolder, type StoredRow } from "./vault-folder.ts";

/** 10,000 long conversations; a vault is text. */
const MAX_VAULT_BYTES = 256 * 1024 * 1024;
/** Of all vaults together: what a small server can spare. */
const MAX_VAULTS_BYTES = 1024 * 1024 * 1024;

/** Of a device, by its Ed25519 key; before each stored card, whom it asked. */
const KEY_BYTES = 32;

/** As for tickets: clocks differ by less. */
const MAX_CLOCK_AHEAD_MS = 60_000;

const ZERO_HASH = "00".repeat(32);

/** A vault before its first commit. */
const EMPTY: Pick<VaultFolder, "rows" | "has"> = { rows: new Map(), has: () => false };

export interface VaultLimits {
  readonly ofOne: number;
  readonly ofAll: number;
}

interface Vault {
  readonly folder: VaultFolder;
  readonly epoch: VaultEpoch;
}

export interface Commit {
  readonly head: Uint8Array;
  /** Empty where the key stays. */
  readonly epoch: Uint8Array;
  readonly wraps: Uint8Array;
  readonly changes: Uint8Array;
}

export class Vaults {
  /** In bytes. */
  readonly limits: VaultLimits;
  readonly #dir: string;
  readonly #node: Uint8Array;
  readonly #devices: () => DeviceList;
  /** By the vault's name in hex. */
  readonly #vaults = new Map<string, Vault>();
  /** One after the other: a commit is judged by what the one before left. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param dir the keeper's own; made where it is needed */
  constructor(
    dir: string,
    node: Uint8Array,
    devices: () => DeviceList,
    limits: VaultLimits = { ofOne: MAX_VAULT_BYTES, ofAll: MAX_VAULTS_BYTES },
  ) {
    this.#dir = dir;
    this.limits = limits;
    this.#node = node;
    this.#devices = devices;
    for (const name of listed(dir).filter((name) => /^[0-9a-f]{32}$/.test(name))) {
      const folder = new VaultFolder(join(dir, name));
      const { opened } = folder;
      if (opened) this.#vaults.set(name, { folder, epoch: openEpoch(folder.epoch(opened.epoch)) });
      // A first commit that was cut off.
      else rmSync(join(dir, name), { recursive: true });
    }
  }

  /** The vault whose key this device has. */
  of(device: Uint8Array): VaultFolder | undefined {
    return this.#of(device)?.folder;
  }

  get usedBytes(): number {
    return [...this.#vaults.values()].reduce((sum, { folder }) => sum + folder.usedBytes, 0);
  }

  cards(): Buffer[] {
    return listed(join(this.#dir, "cards")).map((name) =>
      readFileSync(join(this.#dir, "cards", name)).subarray(KEY_BYTES),
    );
  }

  /** @param inviter whose vault this device wants to share; zeros: nobody's */
  publishCard(
    device: Uint8Array,
    inviter: Uint8Array,
    untrusted: Uint8Array,
  ): KeeperRefusal | undefined {
    const card = opened(() => vaultCardDocument.open(untrusted, (c) => c.device));
    if (!card || !sameBytes(card.device, device) || !sameBytes(card.node, this.#node))
      return "ERR_DOCUMENT_REFUSED";
    const cards = join(this.#dir, "cards");
    mkdirSync(cards, { recursive: true, mode: 0o700 });
    const path = join(cards, hex(device));
    const stored = Buffer.concat([inviter, untrusted]);
    writeFileSync(`${path}.new`, stored, { mode: 0o600, flush: true });
    renameSync(`${path}.new`, path);
    // Of devices that are no longer in the list nobody needs one.
    for (const name of listed(cards))
      if (!activeDevice(this.#devices(), Buffer.from(name, "hex"))) rmSync(join(cards, name));
    return undefined;
  }

  put(device: Uint8Array, blob: Uint8Array): Promise<KeeperRefusal | undefined> {
    return this.#inTurn(async () => {
      const folder = this.of(device);
      if (!folder) return "ERR_VAULT_UNKNOWN";
      if (blob.length > MAX_VAULT_BLOB_BYTES) return "ERR_MALFORMED";
      const isFull = (used: number, max: number) => used + blob.length > max;
      if (isFull(folder.usedBytes, this.limits.ofOne)) {
        // What was put and never committed makes room.
        await folder.dropUnnamed();
        if (isFull(folder.usedBytes, this.limits.ofOne)) return "ERR_VAULT_FULL";
      }
      if (isFull(this.usedBytes, this.limits.ofAll)) return "ERR_VAULT_FULL";
      await folder.put(blob);
      return undefined;
    });
  }

  commit(device: Uint8Array, commit: Commit): Promise<KeeperRefusal | undefined> {
    return this.#inTurn(() => this.#commit(device, commit));
  }

  /** With the last device that has it the vault goes; others keep it, and make a key without who left. */
  leave(device: Uint8Array): Promise<KeeperRefusal | undefined> {
    return this.#inTurn(async () => {
      const mine = this.#of(device);
      if (!mine) return "ERR_VAULT_UNKNOWN";
      // With its card its word goes, too: nobody admits it again before it asks.
      rmSync(join(this.#dir, "cards", hex(device)), { force: true });
      await mine.folder.markLeft(device);
      await this.#removeUnused();
      return undefined;
    });
  }

  devicesChanged(): Promise<unknown> {
    return this.#inTurn(() => this.#removeUnused());
  }

  /** What only devices could open that were revoked or left is of use to nobody, and makes room. */
  async #removeUnused(): Promise<void> {
    for (const [name, vault] of this.#vaults) {
      if (membersOf(vault).some((member) => activeDevice(this.#devices(), member))) continue;
      this.#vaults.delete(name);
      await vault.folder.remove();
    }
  }

  async #commit(device: Uint8Array, commit: Commit): Promise<KeeperRefusal | undefined> {
    // Of a device that was revoked while it asked nothing more is taken.
    if (!activeDevice(this.#devices(), device)) return "ERR_FORBIDDEN";
    const head = opened(() => vaultHeadDocument.open(commit.head, ({ signer }) => signer));
    if (!head || !sameBytes(head.signer, device) || !sameBytes(head.node, this.#node))
      return "ERR_DOCUMENT_REFUSED";
    // Dated later than a revocation to come, it would be no device's for all who read it then.
    if (head.issuedAt > Date.now() + MAX_CLOCK_AHEAD_MS) return "ERR_DOCUMENT_REFUSED";
    const mine = this.#of(device);
    if (mine && !sameBytes(mine.epoch.vault, head.vault)) return "ERR_FORBIDDEN";
    const name = hex(head.vault);
    if (!mine && this.#vaults.has(name)) return "ERR_FORBIDDEN";
    const before = mine?.folder.opened;
    if (head.version !== (before?.version ?? 0) + 1) return "ERR_VAULT_CONFLICT";
    const previous = mine ? documentHash(mine.folder.head!) : NO_PREVIOUS;
    if (!sameBytes(head.previous, previous)) return "ERR_VAULT_CONFLICT";
    const epoch = this.#nextEpoch(device, head, commit, mine);
    if (typeof epoch === "string") return epoch;
    const rows = changedRows(mine?.folder ?? EMPTY, head, commit.changes);
    if (typeof rows === "string") return rows;
    if (!mine && this.usedBytes >= this.limits.ofAll) return "ERR_VAULT_FULL";
    // Only now: what is refused leaves no folders.
    const folder = mine?.folder ?? new VaultFolder(join(this.#dir, name));
    const isNew = commit.epoch.length > 0;
    await folder.commit({
      head: new Uint8Array(commit.head),
      epoch: isNew ? { number: head.epoch, document: new Uint8Array(commit.epoch) } : undefined,
      wraps: isNew ? new Uint8Array(commit.wraps) : folder.wraps,
      left: isNew && mine ? this.#stillLeft(mine, epoch, device) : folder.left,
      rows,
    });
    this.#vaults.set(name, { folder, epoch });
    return undefined;
  }

  /** The epoch that the head names: the one in force, or the next one that came with it. */
  #nextEpoch(
    device: Uint8Array,
    head: VaultHead,
    { epoch: untrusted, wraps }: Commit,
    mine: Vault | undefined,
  ): VaultEpoch | KeeperRefusal {
    const before = mine?.folder.opened;
    const current = mine?.epoch;
    if (untrusted.length === 0) {
      const isCurrent =
        before &&
        head.epoch === before.epoch &&
        sameBytes(head.epochDocument, before.epochDocument);
      return isCurrent ? current! : "ERR_VAULT_CONFLICT";
    }
    const epoch = opened(() => vaultEpochDocument.open(untrusted, ({ signer }) => signer));
    if (!epoch || !sameBytes(epoch.node, this.#node)) return "ERR_DOCUMENT_REFUSED";
    const follows =
      sameBytes(epoch.vault, head.vault) &&
      sameBytes(epoch.signer, device) &&
      epoch.epoch === (current?.epoch ?? 0) + 1 &&
      sameBytes(epoch.previous, before?.epochDocument ?? NO_PREVIOUS) &&
      epoch.since === head.version &&
      head.epoch === epoch.epoch &&
      sameBytes(head.epochDocument, documentHash(untrusted)) &&
      wraps.length > 0 &&
      epoch.members.some((member) => sameBytes(member.device, device));
    if (!follows) return "ERR_DOCUMENT_REFUSED";
    if (epoch.epoch > MAX_EPOCHS) return "ERR_VAULT_FULL";
    // A device has one vault here: nobody is moved into another one, or out of it, and no revoked one stays.
    const left = mine ? this.#stillLeft(mine, epoch, device) : new Uint8Array(0);
    const isFree = epoch.members.every((member) => {
      const theirs = hasKey(left, member.device) ? mine : this.#of(member.device);
      const isOurs = theirs
        ? sameBytes(theirs.epoch.vault, epoch.vault)
        : sameBytes(member.device, device) || this.#hasAsked(member.device, device);
      return isOurs && activeDevice(this.#devices(), member.device) !== undefined;
    });
    const isKept = (mine ? membersOf(mine) : []).every(
      (member) =>
        !activeDevice(this.#devices(), member) ||
        epoch.members.some((next) => sameBytes(next.device, member)),
    );
    return isFree && isKept ? epoch : "ERR_FORBIDDEN";
  }

  /** Who has no vault gets one of another device only by its own word. */
  #hasAsked(device: Uint8Array, inviter: Uint8Array): boolean {
    const cards = join(this.#dir, "cards");
    if (!listed(cards).includes(hex(device))) return false;
    const stored = readFileSync(join(cards, hex(device)));
    return sameBytes(new Uint8Array(stored.subarray(0, KEY_BYTES)), inviter);
  }

  /** Who left and did not ask the signer since has none of it, also where it is still named. */
  #stillLeft({ folder }: Vault, epoch: VaultEpoch, signer: Uint8Array): Uint8Array {
    const devices = epoch.members.map((member) => member.device);
    const still = devices.filter((one) => hasKey(folder.left, one) && !this.#hasAsked(one, signer));
    return new Uint8Array(Buffer.concat(still));
  }

  #of(device: Uint8Array) {
    return [...this.#vaults.values()].find((vault) =>
      membersOf(vault).some((member) => sameBytes(member, device)),
    );
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T | KeeperRefusal> {
    const turn = this.#last.then(act).catch(storageFault);
    this.#last = turn;
    return turn;
  }
}

/** Those of the newest epoch that did not leave since. */
function membersOf({ folder, epoch }: Vault): Uint8Array[] {
  return epoch.members.map(({ device }) => device).filter((one) => !hasKey(folder.left, one));
}

function hasKey(keys: Uint8Array, key: Uint8Array): boolean {
  for (let at = 0; at < keys.length; at += KEY_BYTES)
    if (sameBytes(keys.subarray(at, at + KEY_BYTES), key)) return true;
  return false;
}

/** All rows after the changes, if they are what the head says and all their bytes are here. */
function changedRows(
  folder: Pick<VaultFolder, "rows" | "has">,
  head: VaultHead,
  untrusted: Uint8Array,
): ReadonlyMap<string, StoredRow> | KeeperRefusal {
  const changes = opened(() => decodeVaultRows(untrusted));
  if (!changes) return "ERR_MALFORMED";
  const rows = new Map(folder.rows);
  for (const change of changes) {
    // One in a commit, also for what it names twice: a leap would leave no next one to any device.
    if (change.revision !== (folder.rows.get(change.object)?.revision ?? 0) + 1)
      return "ERR_DOCUMENT_REFUSED";
    if (change.hash === ZERO_HASH) rows.delete(change.object);
    else if (folder.has(change.hash))
      rows.set(change.object, { ...change, changedIn: head.version });
    else return "ERR_VAULT_UNKNOWN";
  }
  if (rows.size > MAX_VAULT_OBJECTS) return "ERR_VAULT_FULL";
  const isSaid = head.objects === rows.size && sameBytes(head.root, vaultRoot(rows.values()));
  return isSaid ? rows : "ERR_DOCUMENT_REFUSED";
}

function openEpoch(document: Uint8Array): VaultEpoch {
  return vaultEpochDocument.open(document, ({ signer }) => signer);
}

function opened<T>(open: () => T): T | undefined {
  try {
    return open();
  } catch (error) {
    if (error instanceof CryptoError) return undefined;
    throw error;
  }
}

function storageFault(error: unknown): KeeperRefusal {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOSPC" || code === "EDQUOT") return "ERR_NO_SPACE";
  return "ERR_STORAGE";
}

function listed(dir: string): string[] {
  try {
    return readdirSync(dir).toSorted();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
