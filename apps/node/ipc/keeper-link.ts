/**
 * What a cell may ask the keeper, and how often. Everything is binary, typed and bounded; the keeper
 * parses no byte of a stranger except signed documents of a fixed layout.
 *
 * @module
 */
import { MAX_VAULT_BLOB_BYTES } from "@phantoma/crypto";

/** Bytes of a request's body: a sealed object of a vault is the largest. */
export const MAX_KEEPER_REQUEST_BYTES = MAX_VAULT_BLOB_BYTES;

/** Where a file of a release lies, by number from 0. */
export const updatePlaces = ["fetched", "given"] as const;

/** Bytes of an answer's body: a page of receipts is the largest. */
export const MAX_KEEPER_ANSWER_BYTES = 1024 * 1024;

/** What may be asked and by which cell; anything else ends the channel. */
export const keeperRequests = {
  /** Body: one-time key (32), then the ticket. Answer: the certificate. Comes first, and once. */
  certify: { kind: 1, from: ["worker", "clerk"] },
  /** Body: nothing. Answer: the node's state as JSON, which only cells read. */
  status: { kind: 2, from: ["clerk"] },
  models: { kind: 3, from: ["clerk"] },
  /** Body: nothing. Answer: the device list as signed. */
  devices: { kind: 4, from: ["clerk"] },
  /** Body: after which version (4). Answer: signed lists, each after its length (4), as many as fit. */
  deviceLists: { kind: 25, from: ["clerk"] },
  /**
   * Body: how many (2), then nothing, or the number that they must be below (8), or a task (32). Answer:
   * receipts, each after its length (4).
   */
  receipts: { kind: 5, from: ["clerk"] },
  /** Body: a signed device list. Answer: empty. */
  submitDeviceList: { kind: 6, from: ["clerk"] },
  /** Body: after which sequence (8), how many (2). Answer: state and attempts as JSON. */
  egress: { kind: 7, from: ["clerk"] },
  /** Body: nothing. Answer: the window as JSON. */
  window: { kind: 8, from: ["clerk"] },
  /** Body: a signed window order. Answer: empty. */
  openWindow: { kind: 9, from: ["clerk"] },
  closeWindow: { kind: 10, from: ["clerk"] },
  /** Body: digest (32), size (8), name (UTF-8). Answer: how many bytes are here already (8). */
  pushModel: { kind: 11, from: ["clerk"] },
  /** Body: digest (32), offset (8), bytes. Answer: how many bytes are here now (8). */
  pushChunk: { kind: 12, from: ["clerk"] },
  /** Body: digest (32). Answer: empty. */
  removeModel: { kind: 13, from: ["clerk"] },
  /** Body: digest (32). Answer: 1 when the stored bytes are those of the digest, otherwise 0. */
  verifyModel: { kind: 14, from: ["clerk"] },
  /** Body: nothing. Answer: wipe grade and findings as JSON. */
  doctor: { kind: 15, from: ["clerk"] },
  /** Body: nothing. Answer: what is reported to whom, and licences, as JSON. */
  reporting: { kind: 16, from: ["clerk"] },
  /** Body: a signed standing order. Answer: empty. */
  submitStandingOrder: { kind: 17, from: ["clerk"] },
  /** Body: a signed licence. Answer: empty. */
  submitLicence: { kind: 18, from: ["clerk"] },
  /** Body: nothing. Answer: bytes used (8), bytes allowed (8); then, with a vault, its head after its length (4), wraps. */
  vault: { kind: 33, from: ["clerk"] },
  /** Body: 1 heads, 2 epochs, 3 cards (1); after which (4). Answer: documents, each after its length (4). */
  vaultDocuments: { kind: 34, from: ["clerk"] },
  /** Body: a signed card. Answer: empty. */
  vaultCard: { kind: 35, from: ["clerk"] },
  /** Body: version (4), changed after (4), from object (8). Answer: rows, each with its version (4). */
  vaultRows: { kind: 36, from: ["clerk"] },
  /** Body: names of objects (8 each). Answer: sealed bytes, each after its length (4), as many as fit. */
  vaultGet: { kind: 37, from: ["clerk"] },
  /** Body: sealed bytes. Answer: empty. */
  vaultPut: { kind: 38, from: ["clerk"] },
  /** Body: head, epoch or nothing, and wraps, each after its length (4); then changed rows. Answer: empty. */
  vaultCommit: { kind: 39, from: ["clerk"] },
  vaultLeave: { kind: 40, from: ["clerk"] },
  /** Body: nothing. Answer: in which hour each device was last certified for, as JSON. */
  lastSeen: { kind: 32, from: ["clerk"] },
  /** Body: nothing. Answer: which release runs, waits and was ordered, as JSON. */
  update: { kind: 19, from: ["clerk"] },
  /** Body: place (1), offset (8), path. Answer: the file's length (8), or all ones without one; a piece of it. */
  readUpdate: { kind: 20, from: ["clerk"] },
  /** Body: a signed update approval. Answer: empty. */
  approveUpdate: { kind: 21, from: ["clerk"] },
  /** Body: a signed update policy. Answer: empty. */
  submitUpdatePolicy: { kind: 22, from: ["clerk"] },
  /** Body: size (8), path. Answer: how many bytes are here already (8). */
  pushUpdate: { kind: 23, from: ["clerk"] },
  /** Body: offset (8), length of the path (1), path, bytes. Answer: how many bytes are here now (8). */
  pushUpdateChunk: { kind: 24, from: ["clerk"] },
} as const satisfies Record<string, { kind: number; from: readonly ("worker" | "clerk")[] }>;

export type KeeperRequest = keyof typeof keeperRequests;
export type CellRole = "worker" | "clerk";

/**
 * Kinds of an answer: one answer per request, in order; and the keeper's last word to a cell whose
 * device was revoked, without which its hanging up means its own end.
 */
export const KeeperAnswer = { done: 1, refused: 2, revoked: 3 } as const;

/**
 * What a cell says on its child's channel before there is a child: 16 random bytes, which it says on its
 * own channel too. It is no request: nobody waits for an answer to it.
 */
export const CELL_HANDLE_KIND = 64;
export const CELL_HANDLE_BYTES = 16;

/**
 * What a cell says on its own channel, which its child never has: the handle; and, when the child is gone,
 * how it ended (1), bytes overwritten (8), bytes that could not be reached (8), Unix milliseconds (8).
 */
export const CellReport = { handle: 1, ended: 2 } as const;
export const CELL_ENDED_BYTES = 25;

/** In what way a cell's child ended, by number from 1. */
export const cellEndings = [
  "finished",
  "timeout",
  "disconnected",
  "crashed",
  "killed",
  "memory",
] as const;

/** Why the keeper refused, by number on the link; an order's refusal has the warden's number after it. */
export const keeperRefusals = [
  "ERR_TICKET",
  "ERR_FORBIDDEN",
  "ERR_DOCUMENT_REFUSED",
  "ERR_MALFORMED",
  "ERR_STORAGE",
  "ERR_ORDER_REFUSED",
  "ERR_WINDOW_OPEN",
  "ERR_NO_POLICY",
  "ERR_NO_WARDEN",
  "ERR_NO_SPACE",
  "ERR_DIGEST",
  "ERR_MODEL_UNKNOWN",
  "ERR_MODEL_IN_USE",
  "ERR_BUSY",
  "ERR_UPDATE_UNKNOWN",
  "ERR_VAULT_CONFLICT",
  "ERR_VAULT_FULL",
  "ERR_VAULT_UNKNOWN",
] as const;

export type KeeperRefusal = (typeof keeperRefusals)[number];

/** Why an order was refused, in the warden's words; the keeper uses the same. */
export const orderRefusals = [
  "ERR_LENGTH",
  "ERR_DOCUMENT_TYPE",
  "ERR_DOCUMENT_FIELD",
  "ERR_NOT_AUTHORISED",
  "ERR_AUTHENTICATION",
  "ERR_ORDER_NODE",
  "ERR_ORDER_EXPIRED",
  "ERR_ORDER_TOO_LONG",
  "ERR_ORDER_REPLAYED",
  "ERR_WINDOW_OPEN",
  "ERR_STORAGE",
  "ERR_POLICY",
] as const;

export type OrderRefusal = (typeof orderRefusals)[number];

/** A refusal, or an order's with the warden's own word for it. */
export type Refusal =
  KeeperRefusal | { readonly code: KeeperRefusal; readonly reason: OrderRefusal };
