/**
 * Saved conversations on this machine: SQLite with sealed rows, and their index in memory.
 *
 *   conversation rows   the conversation, what the node has of it, and whether it changed since
 *   "state"             with which node it is kept, and how far that node's history was seen
 *
 * A row is sealed under a key made from the device's and from a random value in the row itself; SQLite overwrites a
 * deleted row with zeros in the file, and the value that its key was made from with it. Its journal, which had the row as
 * it was before, is unlinked and not overwritten: sealed bytes may stay in free blocks. Only one program has it open at a
 * time.
 *
 * @module
 */
import { MAX_VAULT_OBJECTS, openBytes, sealBytes, type Secret } from "@phantoma/crypto";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import {
  changedAt,
  encodeConversation,
  isSameConversation,
  savedConversationSchema,
  type SavedConversation,
} from "./conversation.ts";
import { pad, unpad } from "./padding.ts";
import { SearchIndex } from "./search-index.ts";
import { VaultError } from "./vault-error.ts";

const hex32 = z.string().regex(/^[0-9a-f]{64}$/);
const base = z.strictObject({ revision: z.int().positive(), hash: hex32 });

/** With which node the vault is kept; `null` where nothing was seen yet. */
const stateSchema = z.strictObject({
  node: hex32,
  /** The newest device list that was seen. */
  devices: z.int().nonnegative(),
  /** The node's key under which that list counts, where it is not the one that it began with. */
  key: hex32.exactOptional(),
  /** The device whose invitation is accepted, while there is no vault yet. */
  inviter: hex32.nullable(),
  vault: z.string().nullable(),
  head: z.strictObject({ version: z.int(), hash: hex32 }).nullable(),
  epoch: z.strictObject({ epoch: z.int(), hash: hex32 }).nullable(),
});

const rowSchema = z.strictObject({
  /** `null`: deleted here, and not yet at the node; or, unchanged, what the node has does not open. */
  conversation: savedConversationSchema.nullable(),
  /** What the node has. */
  base: base.nullable(),
  isChanged: z.boolean(),
});

/** How far the node that keeps the vault was followed. */
export type VaultState = z.infer<typeof stateSchema>;
type Row = z.infer<typeof rowSchema>;

/** What is known of a row without opening it. */
export interface KnownRow {
  readonly base: z.infer<typeof base> | null;
  readonly isChanged: boolean;
  readonly wasDeleted: boolean;
}

export interface SavedSummary {
  readonly id: string;
  readonly title: string;
  readonly model: string;
  readonly changedAt: number;
  readonly messages: number;
  /** Whether the node has it as it is here. */
  readonly isSynced: boolean;
}

const STATE = "state";

export class LocalVault {
  readonly #database: DatabaseSync;
  readonly #key: Secret;
  readonly #index = new SearchIndex();
  readonly #rows = new Map<string, KnownRow>();
  readonly #summaries = new Map<string, Omit<SavedSummary, "isSynced">>();

  /**
   * @param path a file that only this user can read, or `:memory:`
   * @param key taken over, and erased by {@link close}
   * @throws {@link VaultError} `ERR_VAULT_STORE` or `ERR_VAULT_IN_USE`
   */
  static open(path: string, key: Secret): LocalVault {
    const database = openDatabase(path);
    try {
      return new LocalVault(database, key);
    } catch (error) {
      database.close();
      key.erase();
      throw error;
    }
  }

  private constructor(database: DatabaseSync, key: Secret) {
    this.#database = database;
    this.#key = key;
    const all = database.prepare("SELECT id, sealed FROM rows WHERE id <> ?");
    for (const { id, sealed } of all.iterate(STATE))
      this.#remember(String(id), this.#openRow(String(id), sealed as Uint8Array));
  }

  /** The newest first. */
  list(): SavedSummary[] {
    return [...this.#summaries.values()]
      .map((summary) => ({ ...summary, isSynced: !this.#rows.get(summary.id)!.isChanged }))
      .sort((a, b) => b.changedAt - a.changedAt || (a.id < b.id ? -1 : 1));
  }

  /** Those with all words of the query, the newest first. */
  search(query: string): SavedSummary[] {
    const found = new Set(this.#index.find(query));
    return this.list().filter(({ id }) => found.has(id));
  }

  /** @throws {@link VaultError} `ERR_VAULT_UNKNOWN` */
  get(id: string): SavedConversation {
    const saved = this.#summaries.has(id) ? this.#read(id)?.conversation : undefined;
    return saved ?? unknown();
  }

  has(id: string): boolean {
    return this.#summaries.has(id);
  }

  /** @throws {@link VaultError} `ERR_VAULT_TOO_LARGE` or `ERR_VAULT_FULL` */
  save(conversation: SavedConversation): void {
    const { id } = conversation;
    const before = this.#rows.has(id) ? this.#read(id) : undefined;
    if (before?.conversation && isSameConversation(before.conversation, conversation)) return;
    if (!this.#summaries.has(id) && this.#summaries.size >= MAX_VAULT_OBJECTS)
      throw new VaultError(
        "ERR_VAULT_FULL",
        `${MAX_VAULT_OBJECTS} conversations are saved already`,
      );
    this.#write(id, { conversation, base: before?.base ?? null, isChanged: true });
  }

  /** @throws {@link VaultError} `ERR_VAULT_UNKNOWN` */
  delete(id: string): void {
    const isUnreadable = this.isUnreadable(id);
    if (!this.#summaries.has(id) && !isUnreadable) unknown();
    const { base } = this.#rows.get(id)!;
    if (base || isUnreadable) this.#write(id, { conversation: null, base, isChanged: true });
    else this.forget(id);
  }

  get size(): number {
    return this.#summaries.size;
  }

  /** For syncing: every row, deleted ones too. */
  rows(): ReadonlyMap<string, KnownRow> {
    return this.#rows;
  }

  /** For syncing: what the node has now, which is what is here, or is still changed here. */
  put(
    id: string,
    conversation: SavedConversation,
    base: KnownRow["base"],
    isChanged: boolean,
  ): void {
    this.#write(id, { conversation, base, isChanged });
  }

  /** For syncing: it was deleted here while it was sent. */
  markDeleted(id: string, base: KnownRow["base"]): void {
    this.#write(id, { conversation: null, base, isChanged: true });
  }

  /** For syncing: the node has it, and nothing of it opens here. */
  markUnreadable(id: string): void {
    this.#write(id, { conversation: null, base: null, isChanged: false });
  }

  isUnreadable(id: string): boolean {
    const row = this.#rows.get(id);
    return row !== undefined && row.wasDeleted && !row.isChanged;
  }

  /** For syncing: the node has it no more, or never had it. */
  forget(id: string): void {
    this.#database.prepare("DELETE FROM rows WHERE id = ?").run(id);
    this.#rows.delete(id);
    this.#summaries.delete(id);
    this.#index.remove(id);
  }

  /** Many rows in one step: all of them are written, or none. */
  together(write: () => void): void {
    this.#database.exec("BEGIN");
    try {
      write();
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  get state(): VaultState | undefined {
    const sealed = this.#sealed(STATE);
    return sealed && stateSchema.parse(this.#openJson(STATE, sealed));
  }

  set state(state: VaultState | undefined) {
    if (state) this.#seal(STATE, state);
    else this.#database.prepare("DELETE FROM rows WHERE id = ?").run(STATE);
  }

  /** Erases the key and lets go of all that was opened. */
  close(): void {
    this.#key.erase();
    this.#index.clear();
    this.#rows.clear();
    this.#summaries.clear();
    if (this.#database.isOpen) this.#database.close();
  }

  #read(id: string): Row | undefined {
    const sealed = this.#sealed(id);
    return sealed && this.#openRow(id, sealed);
  }

  #write(id: string, row: Row): void {
    // Refused before it is written: what is here must fit into the node, too.
    if (row.conversation) encodeConversation(row.conversation).fill(0);
    this.#seal(id, row);
    this.#remember(id, row);
  }

  #remember(id: string, { conversation, base, isChanged }: Row): void {
    this.#rows.set(id, { base, isChanged, wasDeleted: conversation === null });
    this.#index.remove(id);
    this.#summaries.delete(id);
    if (!conversation) return;
    const { title, model, messages } = conversation;
    this.#index.add(id, [title, ...messages.map(({ text }) => text)]);
    const at = changedAt(conversation);
    this.#summaries.set(id, { id, title, model, changedAt: at, messages: messages.length });
  }

  #sealed(id: string): Uint8Array | undefined {
    const row = this.#database.prepare("SELECT sealed FROM rows WHERE id = ?").get(id);
    return row?.sealed as Uint8Array | undefined;
  }

  #seal(id: string, value: object): void {
    const bytes = Buffer.from(JSON.stringify(value), "utf8");
    const padded = pad(bytes);
    const sealed = sealBytes(this.#key, contextOf(id), padded);
    bytes.fill(0);
    padded.fill(0);
    this.#database.prepare("INSERT OR REPLACE INTO rows VALUES (?, ?)").run(id, sealed);
  }

  #openRow(id: string, sealed: Uint8Array): Row {
    const row = rowSchema.safeParse(this.#openJson(id, sealed));
    if (!row.success || (row.data.conversation && row.data.conversation.id !== id)) damaged();
    return row.data;
  }

  #openJson(id: string, sealed: Uint8Array): unknown {
    try {
      const padded = openBytes(this.#key, contextOf(id), sealed);
      const value: unknown = JSON.parse(unpad(padded).toString("utf8"));
      padded.fill(0);
      return value;
    } catch {
      return damaged();
    }
  }
}

function openDatabase(path: string): DatabaseSync {
  try {
    const database = new DatabaseSync(path);
    // One program at a time: a second one's index would be wrong.
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA secure_delete = ON");
    database.exec(
      "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY",
    );
    database.exec("BEGIN IMMEDIATE; COMMIT");
    database.exec(
      "CREATE TABLE IF NOT EXISTS rows (id TEXT PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID",
    );
    return database;
  } catch (error) {
    if (/locked|busy/.test((error as Error).message))
      throw new VaultError("ERR_VAULT_IN_USE", "another program has the saved conversations open");
    throw new VaultError(
      "ERR_VAULT_STORE",
      "the saved conversations on this machine cannot be opened",
    );
  }
}

function contextOf(id: string): Buffer {
  return Buffer.from(`phantoma vault row v1\0${id}`, "utf8");
}

function damaged(): never {
  throw new VaultError(
    "ERR_VAULT_STORE",
    "a saved conversation on this machine is not as it was written",
  );
}

function unknown(): never {
  throw new VaultError("ERR_VAULT_UNKNOWN", "no such conversation is saved");
}
