/**
 * The upgrade of a connection: path, ticket header, refusal, prologue and close codes.
 *
 * Specified in PROTOCOL.md, section 2.
 *
 * @module
 */
import { z } from "zod";

export const TUNNEL_PATH = "/phantoma/1";
export const TICKET_HEADER = "phantoma-ticket";
const PROLOGUE_NAME = Buffer.from("PHANTOMA/1", "ascii");

/** What both ends must agree on before the first byte: version, node and ticket. */
export function tunnelPrologue(nodeKey: Uint8Array, ticketHash: Uint8Array): Buffer {
  return Buffer.concat([PROLOGUE_NAME, nodeKey, ticketHash]);
}

/** Why an upgrade was refused, with its HTTP status and what the device should do. */
export const refusals = {
  /** Not a ticket at all: update the client. */
  ERR_TICKET_MALFORMED: 400,
  /** Nobody this node knows signed it, or it is for another node: pair again. */
  ERR_TICKET_REFUSED: 401,
  /** It is for a key that this node had before: follow the succession, and sign again. */
  ERR_NODE_SUCCEEDED: 401,
  /** The device was revoked: ask an admin. */
  ERR_DEVICE_REVOKED: 403,
  /** Too old or too new by the node's clock: set the clock, or sign again with the node's time. */
  ERR_TICKET_STALE: 401,
  /** The ticket was used before: sign a new one. */
  ERR_TICKET_REUSED: 409,
  /** The node does not offer this model: list its models. */
  ERR_MODEL_UNKNOWN: 404,
  /** The queue is full: try again later. */
  ERR_BUSY: 503,
} as const satisfies Record<string, number>;

export type RefusalCode = keyof typeof refusals;

export const refusalSchema = z.strictObject({
  code: z.enum(Object.keys(refusals) as [RefusalCode, ...RefusalCode[]]),
  /** Milliseconds since 1970 UTC by the node's clock; a hint, not a proof. */
  nodeTime: z.int().nonnegative(),
  /** With `ERR_NODE_SUCCEEDED`: the document, 266 bytes in base64. It proves itself. */
  succession: z.base64().length(356).exactOptional(),
});

export type Refusal = z.infer<typeof refusalSchema>;

/** Why a gateway closed a tunnel. Unauthenticated, so a hint for messages and nothing else. */
export const CloseCode = {
  /** The worker or clerk ended the session in order. */
  done: 1000,
  /** The node is being stopped or restarted: connect again later. */
  goingAway: 1001,
  /** Something cryptographic failed, it is not said what: connect again. */
  crypto: 4001,
  /** A limit was broken: the client is at fault. */
  limit: 4002,
  /** Too slow, idle too long or open too long: connect again. */
  timeout: 4003,
  /** The process behind the tunnel ended unexpectedly: connect again. */
  died: 4004,
  /** No worker became free in time: try again later. */
  busy: 4005,
  /** The device was revoked. */
  revoked: 4006,
  /** The model cannot be run here: choose another. */
  model: 4007,
} as const;

export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];

/** @throws RangeError for a number that is none: no process makes up a close code of its own */
export function closeCodeOf(untrusted: number): CloseCode {
  const code = Object.values(CloseCode).find((known) => known === untrusted);
  if (code === undefined) throw new RangeError("no such close code");
  return code;
}
