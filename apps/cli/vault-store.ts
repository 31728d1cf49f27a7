/**
 * The saved conversations of this machine's user, and what a terminal says of them.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import { vaultKeysOf } from "@phantoma/crypto";
import { LocalVault, VaultError, type SavedConversation } from "@phantoma/vault";
import type { Home } from "./home.ts";

interface Said {
  readonly role: "user" | "assistant" | "system";
  readonly text: string;
}

/** Characters of a first question that name the conversation. */
const TITLE_CHARS = 60;

export const deletedWords =
  "Deleted. It is overwritten in the file on this machine; a sealed copy may stay in free blocks of the disk, where the " +
  "database kept its journal, and opens with this device's key alone. The node overwrites its key and its " +
  "copy at the next sync. Another device has it until it syncs; a backup, an export, or a copy that somebody made of " +
  "the node's disk before is not reached.";

/** Opens it, uses it and closes it. */
export async function withVault<T>(home: Home, use: (vault: LocalVault) => T | Promise<T>) {
  const path = home.vaultPath;
  // SQLite would make it with the rights of everybody's files.
  closeSync(openSync(path, "a", 0o600));
  const { xWingSeed, storeKey } = vaultKeysOf(home.device());
  xWingSeed.erase();
  const vault = LocalVault.open(path, storeKey);
  try {
    return await use(vault);
  } finally {
    vault.close();
  }
}

/** What was said in a terminal, one after the other. */
export function conversationOf(
  said: readonly Said[],
  model: string,
  mode: SavedConversation["mode"],
  title?: string,
): SavedConversation {
  const now = Date.now();
  let parent: string | null = null;
  const messages = said.map(({ role, text }, i) => {
    const id = randomBytes(8).toString("hex");
    // A millisecond apart, so that they keep their order.
    const createdAt = now - said.length + i;
    const message = { id, parent, role, text, state: "complete" as const, createdAt };
    parent = id;
    return message;
  });
  const first =
    said
      .find(({ role }) => role === "user")
      ?.text.trim()
      .split("\n", 1)[0] ?? "";
  const id = randomBytes(8).toString("hex");
  const named = { id, title: title ?? first.slice(0, TITLE_CHARS), titledAt: now };
  return { ...named, model, mode, createdAt: now - said.length, messages };
}

/** The one whose name begins like this. @throws {@link VaultError} `ERR_VAULT_UNKNOWN` */
export function findSaved(vault: LocalVault, start: string | undefined): SavedConversation {
  const found = vault.list().filter(({ id }) => start !== undefined && id.startsWith(start));
  if (found.length === 1) return vault.get(found[0]!.id);
  throw new VaultError("ERR_VAULT_UNKNOWN", `${found.length} saved conversations begin like this`);
}

/** Also of one that does not open, by its whole name. @throws {@link VaultError} `ERR_VAULT_UNKNOWN` */
export function namedId(vault: LocalVault, start: string | undefined): string {
  return start !== undefined && vault.isUnreadable(start) ? start : findSaved(vault, start).id;
}

/** Saves a conversation that goes on: what was saved of it before stays as it was, and what came since is added. */
export function savingTo(home: Home, model: string, mode: SavedConversation["mode"]) {
  let last: SavedConversation | undefined;
  return (said: readonly Said[]): Promise<string> =>
    withVault(home, (vault) => {
      const whole = conversationOf(said, model, mode);
      const known = last?.messages ?? [];
      const goesOn =
        last && known.length <= said.length && known.every(({ text }, i) => text === said[i]!.text);
      if (last && goesOn) {
        const added = whole.messages.slice(known.length);
        const [first, ...rest] = added;
        const joined = first ? [{ ...first, parent: known.at(-1)?.id ?? null }, ...rest] : [];
        last = { ...last, messages: [...known, ...joined] };
      } else last = whole;
      vault.save(last);
      return last.id;
    });
}
