/**
 * What a cell asks of its device's vault, read from bytes and answered in bytes.
 *
 * @module
 */
import { encodeVaultRow, VAULT_OBJECT_BYTES } from "@phantoma/crypto";
import {
  LISTED_ROW_BYTES,
  MAX_VAULT_CHANGES,
  MAX_VAULT_GET,
  MAX_VAULT_ROWS,
  MAX_WRAPS_BYTES,
} from "@phantoma/protocol";
import type { KeeperRefusal, KeeperRequest } from "../../ipc/keeper-link.ts";
import { framed, unframed } from "./framed.ts";
import type { VaultFolder } from "./vault-folder.ts";
import type { Vaults } from "./vaults.ts";

/** In base64 with what is around it, it fits into one response. */
const MAX_ANSWER_BYTES = 640 * 1024;
/** Documents are small, and their list in a response is bounded. */
const MAX_DOCUMENTS_BYTES = 400 * 1024;
const MAX_DOCUMENTS = 4096;
/** An Ed25519 key; zeros: nobody's. */
const INVITER_BYTES = 32;

type Answer = Uint8Array | KeeperRefusal;
type VaultRequest = Extract<KeeperRequest, `vault${string}`>;

export function answerVault(
  vaults: Vaults,
  device: Uint8Array,
  request: VaultRequest,
  body: Buffer,
): Answer | Promise<Answer> {
  switch (request) {
    case "vault":
      return state(vaults, device);
    case "vaultDocuments":
      return documents(vaults, device, body);
    case "vaultCard":
      return card(vaults, device, body);
    case "vaultRows":
      return rows(vaults.of(device), body);
    case "vaultGet":
      return get(vaults.of(device), body);
    case "vaultPut":
      return vaults.put(device, body).then(doneUnless);
    case "vaultCommit":
      return commit(vaults, device, body);
    case "vaultLeave":
      return vaults.leave(device).then(doneUnless);
  }
}

function card(vaults: Vaults, device: Uint8Array, body: Buffer): Answer {
  if (body.length <= INVITER_BYTES) return "ERR_MALFORMED";
  const inviter = new Uint8Array(body.subarray(0, INVITER_BYTES));
  return doneUnless(vaults.publishCard(device, inviter, body.subarray(INVITER_BYTES)));
}

function state(vaults: Vaults, device: Uint8Array): Answer {
  const folder = vaults.of(device);
  const numbers = Buffer.alloc(16);
  numbers.writeBigUInt64BE(BigInt(folder?.usedBytes ?? 0));
  numbers.writeBigUInt64BE(BigInt(vaults.limits.ofOne), 8);
  if (!folder) return numbers;
  return Buffer.concat([numbers, framed([folder.head!]), folder.wraps]);
}

function documents(vaults: Vaults, device: Uint8Array, body: Buffer): Answer {
  if (body.length !== 5) return "ERR_MALFORMED";
  const of = ([undefined, "heads", "epochs", "cards"] as const)[body[0]!];
  if (!of) return "ERR_MALFORMED";
  if (of === "cards") return framed(vaults.cards());
  const folder = vaults.of(device);
  if (!folder) return "ERR_VAULT_UNKNOWN";
  const found = folder.documents(of, body.readUInt32BE(1), MAX_DOCUMENTS_BYTES);
  return framed(found.slice(0, MAX_DOCUMENTS));
}

/** In the order of their names, so that the next question goes on after the last. */
function rows(folder: VaultFolder | undefined, body: Buffer): Answer {
  if (!folder) return "ERR_VAULT_UNKNOWN";
  if (body.length !== 8 + VAULT_OBJECT_BYTES) return "ERR_MALFORMED";
  if (body.readUInt32BE() !== folder.opened!.version) return "ERR_VAULT_CONFLICT";
  const after = body.readUInt32BE(4);
  const from = body.toString("hex", 8);
  const wanted = [...folder.rows.values()]
    .filter(({ object, changedIn }) => object >= from && changedIn > after)
    .sort((a, b) => (a.object < b.object ? -1 : 1))
    .slice(0, MAX_VAULT_ROWS);
  const answer = Buffer.alloc(wanted.length * LISTED_ROW_BYTES);
  for (const [i, row] of wanted.entries()) {
    answer.set(encodeVaultRow(row), i * LISTED_ROW_BYTES);
    answer.writeUInt32BE(row.changedIn, (i + 1) * LISTED_ROW_BYTES - 4);
  }
  return answer;
}

async function get(folder: VaultFolder | undefined, body: Buffer): Promise<Answer> {
  if (!folder) return "ERR_VAULT_UNKNOWN";
  const count = body.length / VAULT_OBJECT_BYTES;
  if (!Number.isInteger(count) || count < 1 || count > MAX_VAULT_GET) return "ERR_MALFORMED";
  const blobs: Buffer[] = [];
  let bytes = 0;
  for (let at = 0; at < body.length; at += VAULT_OBJECT_BYTES) {
    const row = folder.rows.get(body.toString("hex", at, at + VAULT_OBJECT_BYTES));
    if (!row) return "ERR_VAULT_UNKNOWN";
    bytes += folder.size(row.hash) + 4;
    if (bytes > MAX_ANSWER_BYTES) break;
    // Replaced since: whoever asks has to sync again.
    const blob = await folder.get(row.hash).catch(() => undefined);
    if (!blob) return "ERR_VAULT_CONFLICT";
    blobs.push(blob);
  }
  return framed(blobs);
}

async function commit(vaults: Vaults, device: Uint8Array, body: Buffer): Promise<Answer> {
  const read = unframed(body, 3);
  if (!read) return "ERR_MALFORMED";
  const [head, epoch, wraps] = read.parts as [Buffer, Buffer, Buffer];
  const isBounded =
    wraps.length <= MAX_WRAPS_BYTES && read.rest.length <= MAX_VAULT_CHANGES * LISTED_ROW_BYTES;
  if (!isBounded) return "ERR_MALFORMED";
  return doneUnless(await vaults.commit(device, { head, epoch, wraps, changes: read.rest }));
}

function doneUnless(refusal: KeeperRefusal | undefined): Answer {
  return refusal ?? new Uint8Array(0);
}
