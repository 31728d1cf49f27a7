/**
 * A conversation as it is saved: a set of messages, each naming the one that it follows, and a title.
 *
 * Two versions of it merge without asking anybody: messages are only ever added, so the union of two sets has all of
 * both, and what was said on two machines shows as two branches.
 *
 * @module
 */
import { z } from "zod";
import { VaultError } from "./vault-error.ts";

/** Its JSON, padded and sealed, fits into what a node takes of one object. */
export const MAX_CONVERSATION_BYTES = 500_000;
/** More than a model's context holds, at a few words each. */
export const MAX_SAVED_MESSAGES = 10_000;
export const MAX_SAVED_TITLE_CHARS = 120;

const id = z.string().regex(/^[0-9a-f]{16}$/);
/** Milliseconds since 1970 UTC that a Date can show. */
const time = z.int().min(0).max(8.64e15);

const messageSchema = z.strictObject({
  id,
  parent: id.nullable(),
  role: z.enum(["user", "assistant", "system"]),
  text: z.string().max(MAX_CONVERSATION_BYTES),
  /** As in the console: only `complete` was authenticated to its end. */
  state: z.enum(["complete", "stopped", "cut", "failed"]),
  createdAt: time,
});

export const savedConversationSchema = z
  .strictObject({
    id,
    title: z.string().max(MAX_SAVED_TITLE_CHARS),
    titledAt: time,
    model: z.string().max(255),
    mode: z.enum(["conversation", "turn"]),
    createdAt: time,
    messages: z.array(messageSchema).max(MAX_SAVED_MESSAGES),
  })
  .refine(({ messages }) => isTree(messages));

export type SavedMessage = z.infer<typeof messageSchema>;
export type SavedConversation = z.infer<typeof savedConversationSchema>;

/** The same conversation always gives the same bytes. @throws {@link VaultError} `ERR_VAULT_TOO_LARGE` */
export function encodeConversation(conversation: SavedConversation): Buffer {
  const bytes = Buffer.from(JSON.stringify(canonical(conversation)), "utf8");
  if (bytes.length <= MAX_CONVERSATION_BYTES) return bytes;
  bytes.fill(0);
  throw new VaultError("ERR_VAULT_TOO_LARGE", "the conversation is too long to be saved");
}

/** @throws {@link VaultError} `ERR_VAULT_FILE`, which names no content */
export function parseConversation(untrusted: unknown): SavedConversation {
  const parsed = savedConversationSchema.safeParse(untrusted);
  if (parsed.success) return canonical(parsed.data);
  const where = parsed.error.issues[0]?.path.filter((step) => typeof step !== "symbol").join(".");
  throw new VaultError("ERR_VAULT_FILE", `not a saved conversation (${where || "as a whole"})`);
}

/** All messages of both. Whoever merges what, in whatever order, arrives at the same. */
export function mergeConversations(a: SavedConversation, b: SavedConversation): SavedConversation {
  const [title, titledAt] = later([a.title, a.titledAt], [b.title, b.titledAt]);
  const first = keyOf(a) < keyOf(b) ? a : b;
  const messages = new Map(a.messages.map((message) => [message.id, message]));
  for (const message of b.messages) {
    const other = messages.get(message.id);
    messages.set(message.id, other ? fuller(other, message) : message);
  }
  const { id, model, mode } = first;
  const createdAt = Math.min(a.createdAt, b.createdAt);
  return canonical({
    id,
    title,
    titledAt,
    model,
    mode,
    createdAt,
    messages: [...messages.values()],
  });
}

export function isSameConversation(a: SavedConversation, b: SavedConversation): boolean {
  return JSON.stringify(canonical(a)) === JSON.stringify(canonical(b));
}

/** When something was last said or renamed. */
export function changedAt({ titledAt, messages }: SavedConversation): number {
  return messages.reduce((latest, { createdAt }) => Math.max(latest, createdAt), titledAt);
}

/** One order of fields and messages. */
function canonical(conversation: SavedConversation): SavedConversation {
  const { id, title, titledAt, model, mode, createdAt, messages } = conversation;
  const ordered = messages
    .map(({ id, parent, role, text, state, createdAt }) => ({
      id,
      parent,
      role,
      text,
      state,
      createdAt,
    }))
    .sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  return { id, title, titledAt, model, mode, createdAt, messages: ordered };
}

function later(a: [string, number], b: [string, number]): [string, number] {
  if (a[1] !== b[1]) return a[1] > b[1] ? a : b;
  return a[0] > b[0] ? a : b;
}

/** Of an answer that one device saw end and the other did not, the ended one. */
function fuller(a: SavedMessage, b: SavedMessage): SavedMessage {
  return rankOf(a) > rankOf(b) ? a : b;
}

function rankOf(message: SavedMessage): string {
  const { state, text } = message;
  const place = ["failed", "cut", "stopped", "complete"].indexOf(state);
  return `${place} ${String(text.length).padStart(9, "0")} ${JSON.stringify(message)}`;
}

function keyOf({ createdAt, model, mode }: SavedConversation): string {
  return `${String(createdAt).padStart(16, "0")} ${mode} ${model}`;
}

/** Every name once, every parent there, and nobody above itself. */
function isTree(messages: readonly SavedMessage[]): boolean {
  const parents = new Map(messages.map(({ id, parent }) => [id, parent]));
  if (parents.size !== messages.length) return false;
  const rooted = new Set<string>();
  for (const { id } of messages) {
    const path: string[] = [];
    for (let at: string | null = id; at !== null && !rooted.has(at);) {
      const parent = parents.get(at);
      if (parent === undefined || path.length > messages.length) return false;
      path.push(at);
      at = parent;
    }
    for (const passed of path) rooted.add(passed);
  }
  return true;
}
