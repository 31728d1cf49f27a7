/**
 * Saved conversations of this console: sealed on this machine, and at a node where a person syncs with it.
 *
 *   HOME/vault.sqlite   0600, every row sealed under a key made from the device's
 *
 * Opened when it is first asked for, closed with the console: its index is in memory only.
 *
 * @module
 */
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import {
  admitKit,
  isRecoveryKit,
  joinVault,
  syncVault,
  takeVaultByKit,
  vaultForKit,
  type RecoveryKit,
  type SyncOptions,
} from "@phantoma/client";
import {
  sameBytes,
  vaultKeysOf,
  type DeviceIdentity,
  type VerifiedDeviceList,
} from "@phantoma/crypto";
import {
  fromJson,
  LocalVault,
  mergeConversations,
  toJson,
  toMarkdown,
  type SavedConversation,
} from "@phantoma/vault";
import type { Conversation } from "../ipc/conversation.ts";
import type { Fingerprint } from "../ipc/node.ts";
import {
  MAX_SHOWN_SAVED,
  type SavedDevice,
  type SavedList,
  type SyncResult,
} from "../ipc/saved.ts";
import { fingerprintView } from "./fingerprint-view.ts";
import { makePrivateDir, writePrivate } from "./private-file.ts";

/** Where a vault is kept. */
export interface VaultPlace {
  readonly node: string;
  readonly link: SyncOptions["link"];
  /** Of this node, signed, and none before what was seen here. */
  readonly devices: VerifiedDeviceList;
}

export class SavedShelf {
  readonly #homeDir: string;
  readonly #device: DeviceIdentity;
  readonly #onChanged: () => void;
  #vault: LocalVault | undefined;

  constructor(homeDir: string, device: DeviceIdentity, onChanged: () => void) {
    this.#homeDir = homeDir;
    this.#device = device;
    this.#onChanged = onChanged;
  }

  /** @param query empty: all */
  list(query: string): SavedList {
    const vault = this.#open();
    const found = query.trim() === "" ? vault.list() : vault.search(query);
    const { state } = vault;
    const node = state?.vault != null ? state.node : null;
    return { saved: found.slice(0, MAX_SHOWN_SAVED), total: found.length, node };
  }

  get(id: string): SavedConversation {
    return this.#open().get(id);
  }

  /** What a conversation holds now; what is being answered comes with the next saving. */
  save(conversation: Conversation): void {
    const vault = this.#open();
    const now = savedFrom(conversation);
    vault.save(vault.has(now.id) ? mergeConversations(vault.get(now.id), now) : now);
    this.#onChanged();
  }

  delete(id: string): void {
    this.#open().delete(id);
    this.#onChanged();
  }

  /** @param id absent: all. @returns where the file is */
  export(id: string | null, format: "json" | "markdown"): string {
    const vault = this.#open();
    const some = (id === null ? vault.list().map((one) => one.id) : [id]).map((one) =>
      vault.get(one),
    );
    const dir = join(this.#homeDir, "exports");
    makePrivateDir(dir);
    const path = join(dir, `${id ?? "conversations"}.${format === "json" ? "json" : "md"}`);
    writePrivate(path, format === "json" ? toJson(some) : some.map(toMarkdown).join("\n\n"));
    return path;
  }

  /** What is saved already is joined with what comes. @returns how many came */
  import(untrusted: string): number {
    const vault = this.#open();
    const some = fromJson(untrusted);
    vault.together(() => {
      for (const one of some)
        vault.save(vault.has(one.id) ? mergeConversations(vault.get(one.id), one) : one);
    });
    this.#onChanged();
    return some.length;
  }

  /** @param admit a device that has all of it from now on */
  async sync(at: VaultPlace, admit?: string): Promise<SyncResult> {
    const all = this.#with(at);
    const wanted = admit === undefined ? all : { ...all, admit: bytesOf(admit) };
    const { hasTurned: _, ...result } = await syncVault(wanted).finally(this.#onChanged);
    return result;
  }

  /** @param inviter the device whose saved conversations this one shall have */
  async join(at: VaultPlace, inviter: string): Promise<void> {
    await joinVault(this.#with(at), bytesOf(inviter)).finally(this.#onChanged);
  }

  /** The name of the vault that is kept at this node, for a kit. */
  vaultAt(node: string): Uint8Array | undefined {
    return vaultForKit(this.#open(), node);
  }

  async admitKit(at: VaultPlace, kit: RecoveryKit): Promise<void> {
    await admitKit(kit, this.#with(at)).finally(this.#onChanged);
  }

  /** All that is saved at the node comes here, by a kit that took this console in. */
  async takeByKit(at: VaultPlace, kit: RecoveryKit): Promise<void> {
    await takeVaultByKit(kit, this.#with(at)).finally(this.#onChanged);
  }

  /** Active ones that the node lists, and what this one shows where they list it; a kit shows nothing to compare. */
  others({ devices }: VerifiedDeviceList): {
    readonly own: Fingerprint;
    readonly devices: SavedDevice[];
  } {
    const { signing, tunnel } = this.#device;
    const active = devices.filter((one) => one.revokedAt === null && !isRecoveryKit(one));
    return {
      own: deviceFingerprint(signing.publicKey, tunnel.publicKey),
      devices: active
        .filter(({ signingKey }) => !sameBytes(signingKey, signing.publicKey))
        .map(({ signingKey, tunnelKey, name }) => ({
          key: Buffer.from(signingKey).toString("hex"),
          name,
          fingerprint: deviceFingerprint(signingKey, tunnelKey),
        })),
    };
  }

  close(): void {
    this.#vault?.close();
    this.#vault = undefined;
  }

  #with({ node, link, devices }: VaultPlace): SyncOptions {
    return { link, local: this.#open(), device: this.#device, node: bytesOf(node), devices };
  }

  #open(): LocalVault {
    if (this.#vault) return this.#vault;
    const path = join(this.#homeDir, "vault.sqlite");
    // SQLite would make it with the rights of everybody's files.
    closeSync(openSync(path, "a", 0o600));
    const { xWingSeed, storeKey } = vaultKeysOf(this.#device);
    xWingSeed.erase();
    return (this.#vault = LocalVault.open(path, storeKey));
  }
}

/** Of both keys, as the terminal shows it. */
function deviceFingerprint(signingKey: Uint8Array, tunnelKey: Uint8Array): Fingerprint {
  return fingerprintView(Buffer.concat([signingKey, tunnelKey]));
}

function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}

/** Without what only this console knows: measures, drafts, workers. */
function savedFrom({ id, title, model, mode, createdAt, updatedAt, messages }: Conversation) {
  const titledAt = updatedAt;
  const kept = messages.flatMap(({ id, parent, role, text, state, createdAt }) =>
    state === "streaming" ? [] : [{ id, parent, role, text, state, createdAt }],
  );
  return { id, title, titledAt, model: model.name, mode, createdAt, messages: kept };
}
