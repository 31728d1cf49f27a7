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
import { syncVault, type SyncOptions } from "@phantoma/client";
import { deviceListDocument, vaultKeysOf, type DeviceIdentity } from "@phantoma/crypto";
import {
  fromJson,
  LocalVault,
  mergeConversations,
  toJson,
  toMarkdown,
  type SavedConversation,
} from "@phantoma/vault";
import type { Conversation } from "../ipc/conversation.ts";
import { MAX_SHOWN_SAVED, type SavedList, type SyncResult } from "../ipc/saved.ts";
import { makePrivateDir, writePrivate } from "./private-file.ts";

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

  async sync(node: string, link: SyncOptions["link"], deviceList: Uint8Array): Promise<SyncResult> {
    const devices = deviceListDocument.open(deviceList, ({ signer }) => signer);
    const key = new Uint8Array(Buffer.from(node, "hex"));
    const local = this.#open();
    const all = { link, local, device: this.#device, node: key, devices };
    const { hasTurned: _, ...result } = await syncVault(all).finally(this.#onChanged);
    return result;
  }

  close(): void {
    this.#vault?.close();
    this.#vault = undefined;
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

/** Without what only this console knows: measures, drafts, workers. */
function savedFrom({ id, title, model, mode, createdAt, updatedAt, messages }: Conversation) {
  const titledAt = updatedAt;
  const kept = messages.flatMap(({ id, parent, role, text, state, createdAt }) =>
    state === "streaming" ? [] : [{ id, parent, role, text, state, createdAt }],
  );
  return { id, title, titledAt, model: model.name, mode, createdAt, messages: kept };
}
