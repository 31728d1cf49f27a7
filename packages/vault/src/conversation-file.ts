/**
 * Saved conversations as files: JSON that can be imported again, Markdown to read, and a backup under a passphrase.
 *
 *   backup: "PHBACKUP" (8) · salt (16) · the JSON, sealed under scrypt(passphrase, salt)
 *
 * @module
 */
import { randomBytes, scryptSync } from "node:crypto";
import { CryptoError, openBytes, sealBytes, Secret } from "@phantoma/crypto";
import { parseConversation, type SavedConversation, type SavedMessage } from "./conversation.ts";
import { VaultError } from "./vault-error.ts";

const FORMAT = "phantoma conversations v1";
const MAGIC = Buffer.from("PHBACKUP", "ascii");
const SALT_BYTES = 16;
/** 128 MiB and about half a second on a desk: what a guess costs whoever found the file. */
const SCRYPT = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 * 1024 } as const;
const CONTEXT = Buffer.from("phantoma vault backup v1\0", "ascii");

export function toJson(conversations: readonly SavedConversation[]): string {
  return `${JSON.stringify({ format: FORMAT, conversations }, null, 1)}\n`;
}

/** @throws {@link VaultError} `ERR_VAULT_FILE` */
export function fromJson(untrusted: string): SavedConversation[] {
  const file = parsed(untrusted) as { format?: unknown; conversations?: unknown } | null;
  if (file?.format !== FORMAT || !Array.isArray(file.conversations))
    throw new VaultError("ERR_VAULT_FILE", "not a file of exported conversations");
  return file.conversations.map(parseConversation);
}

/** Every branch, in the order in which a person would have read it. */
export function toMarkdown(conversation: SavedConversation): string {
  const { title, model, createdAt, messages } = conversation;
  const head = `# ${oneLine(title) || "Conversation"}\n\n${oneLine(model)}, ${new Date(createdAt).toISOString()}\n`;
  return [head, ...branch(messages, null, 0)].join("\n");
}

/** @param passphrase still the caller's to erase */
export function sealBackup(
  passphrase: Uint8Array,
  conversations: readonly SavedConversation[],
): Buffer {
  const salt = randomBytes(SALT_BYTES);
  const key = keyOf(passphrase, salt);
  const json = Buffer.from(toJson(conversations), "utf8");
  const sealed = sealBytes(key, CONTEXT, json);
  json.fill(0);
  key.erase();
  return Buffer.concat([MAGIC, salt, sealed]);
}

/** @throws {@link VaultError} `ERR_VAULT_FILE` or `ERR_VAULT_PASSPHRASE` */
export function openBackup(passphrase: Uint8Array, untrusted: Uint8Array): SavedConversation[] {
  const head = Buffer.from(untrusted.subarray(0, MAGIC.length + SALT_BYTES));
  if (head.length < MAGIC.length + SALT_BYTES || !head.subarray(0, MAGIC.length).equals(MAGIC))
    throw new VaultError("ERR_VAULT_FILE", "not a backup");
  const key = keyOf(passphrase, head.subarray(MAGIC.length));
  try {
    return fromJson(openBytes(key, CONTEXT, untrusted.subarray(head.length)).toString("utf8"));
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    if (error.code !== "ERR_AUTHENTICATION")
      throw new VaultError("ERR_VAULT_FILE", "the backup is cut off");
    throw new VaultError("ERR_VAULT_PASSPHRASE", "another passphrase, or the backup was changed");
  } finally {
    key.erase();
  }
}

/** What follows a message is indented only where there are branches: most conversations have none. */
function branch(messages: readonly SavedMessage[], parent: string | null, depth: number): string[] {
  const lines: string[] = [];
  let above = parent;
  for (;;) {
    const children = messages.filter((message) => message.parent === above);
    const [only] = children;
    if (!only) return lines;
    if (children.length > 1) {
      for (const [i, child] of children.entries())
        lines.push(
          `${"#".repeat(Math.min(depth + 2, 6))} Branch ${i + 1} of ${children.length}\n`,
          said(child),
          ...branch(messages, child.id, depth + 1),
        );
      return lines;
    }
    lines.push(said(only));
    above = only.id;
  }
}

function said({ role, text, state }: SavedMessage): string {
  const who = { user: "You", assistant: "Model", system: "Instructions" }[role];
  return `**${who}**${state === "complete" ? "" : ` (${state})`}\n\n${text}\n`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

function keyOf(passphrase: Uint8Array, salt: Uint8Array): Secret {
  return new Secret(scryptSync(passphrase, salt, 32, SCRYPT));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new VaultError("ERR_VAULT_FILE", "not a file of exported conversations");
  }
}
