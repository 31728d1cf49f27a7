/**
 * Who may open a tunnel: one look at the ticket, before a connection is worth anything.
 *
 * This only saves work. What lets a device in is the certificate that the keeper gives a worker.
 *
 * @module
 */
import { NO_MODEL, sameBytes, TICKET_BYTES, type DeviceList } from "@phantoma/crypto";
import { TICKET_LIFETIME_MS, type RefusalCode } from "@phantoma/protocol";
import type { Successions } from "../devices/successions.ts";
import { checkTicket, type GenuineTicket } from "../tickets/ticket-check.ts";
import type { UsedTickets } from "../tickets/used-tickets.ts";

export interface Doorkeeper {
  readonly node: Uint8Array;
  readonly devices: DeviceList;
  readonly used: UsedTickets;
  /** Whether a model with this digest is offered here. */
  hasModel(digest: Uint8Array): boolean;
}

/** A ticket may come early or late by this much, so it is remembered for both. */
export const TICKET_MEMORY_MS = 2 * TICKET_LIFETIME_MS;

/** The longest header that could be a ticket, in base64url characters. */
const MAX_HEADER_CHARACTERS = 512;

/** @param header the ticket header as the stranger sent it */
export function admit(
  header: string | string[] | undefined,
  door: Doorkeeper,
  now: number,
): { genuine: GenuineTicket; bytes: Uint8Array } | RefusalCode {
  if (typeof header !== "string" || header.length > MAX_HEADER_CHARACTERS)
    return "ERR_TICKET_MALFORMED";
  // Kept as long as the device waits: a slice of Buffer's pool would keep 64 KiB of it.
  const bytes = new Uint8Array(Buffer.from(header, "base64url"));
  const genuine = checkTicket(bytes, door.node, door.devices);
  if (typeof genuine === "string") return genuine;
  const { ticket, hash } = genuine;
  if (Math.abs(now - ticket.issuedAt) > TICKET_LIFETIME_MS) return "ERR_TICKET_STALE";
  const isKnownModel =
    ticket.service === "control" ? sameBytes(ticket.model, NO_MODEL) : door.hasModel(ticket.model);
  if (!isKnownModel) return "ERR_MODEL_UNKNOWN";
  const use = door.used.use(hash, ticket.device, now);
  if (use !== "first") return use === "again" ? "ERR_TICKET_REUSED" : "ERR_BUSY";
  return { genuine, bytes };
}

/** Where a ticket names its node: PROTOCOL.md, section 7.3. */
const NODE_AT = 2;
const NODE_BYTES = 32;

/** For a ticket that was refused: what became of the node that it names, if this is the one. */
export function successionFor(
  header: string | string[] | undefined,
  successions: Successions,
): Buffer | undefined {
  if (successions.size === 0 || typeof header !== "string") return undefined;
  const bytes = Buffer.from(header, "base64url");
  if (bytes.length !== TICKET_BYTES) return undefined;
  return successions.get(bytes.toString("hex", NODE_AT, NODE_AT + NODE_BYTES));
}
