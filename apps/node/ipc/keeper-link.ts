/**
 * What a cell may ask the keeper, and how often. Everything is binary, typed and bounded; the keeper
 * parses no byte of a stranger except signed documents of a fixed layout.
 *
 * @module
 */
import { MAX_DOCUMENT_BYTES } from "@phantoma/crypto";

/** Bytes of a request's body: a device list is the largest. */
export const MAX_KEEPER_REQUEST_BYTES = MAX_DOCUMENT_BYTES + 64;

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
  /** Body: how many (2), then nothing or a task (32). Answer: receipts, each after its length (4). */
  receipts: { kind: 5, from: ["clerk"] },
  /** Body: a signed device list. Answer: empty. */
  submitDeviceList: { kind: 6, from: ["clerk"] },
} as const satisfies Record<string, { kind: number; from: readonly ("worker" | "clerk")[] }>;

export type KeeperRequest = keyof typeof keeperRequests;
export type CellRole = "worker" | "clerk";

/**
 * Kinds of an answer: one answer per request, in order; and the keeper's last word to a cell whose
 * device was revoked, without which its hanging up means its own end.
 */
export const KeeperAnswer = { done: 1, refused: 2, revoked: 3 } as const;

/** Why the keeper refused, by number on the link. */
export const keeperRefusals = [
  "ERR_TICKET",
  "ERR_FORBIDDEN",
  "ERR_DOCUMENT_REFUSED",
  "ERR_MALFORMED",
  "ERR_STORAGE",
] as const;

export type KeeperRefusal = (typeof keeperRefusals)[number];
