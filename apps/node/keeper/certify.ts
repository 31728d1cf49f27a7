/**
 * Whether a cell's one-time key is certified for a ticket. This file decides; `cell-channel.ts` acts.
 *
 * @module
 */
import {
  certificateDocument,
  NO_MODEL,
  sameBytes,
  type NodeIdentity,
  type VerifiedDeviceList,
} from "@phantoma/crypto";
import {
  CERTIFICATE_LIFETIME_MS,
  MAX_QUEUE_WAIT_MS,
  TICKET_LIFETIME_MS,
  type Model,
} from "@phantoma/protocol";
import type { CellRole } from "../ipc/keeper-link.ts";
import { checkTicket, type GenuineTicket } from "../tickets/ticket-check.ts";
import type { UsedTickets } from "../tickets/used-tickets.ts";

/** What every certificate of this node says of its installation. */
export interface Installation {
  readonly release: Uint8Array;
  readonly starter: "systemd" | "gateway";
  readonly policy: "none" | "demo" | "enforced";
}

export interface Certifier {
  readonly identity: NodeIdentity;
  readonly installation: Installation;
  readonly devices: VerifiedDeviceList;
  readonly models: readonly Model[];
  readonly used: UsedTickets;
  /** When this keeper started: it cannot know which older tickets were used before. */
  readonly startedAt: number;
}

/** A ticket may have waited in the queue before its worker asks. */
const OLDEST_TICKET_MS = MAX_QUEUE_WAIT_MS + TICKET_LIFETIME_MS;

/** A ticket may also come early, so it is remembered for both. */
export const TICKET_MEMORY_MS = OLDEST_TICKET_MS + TICKET_LIFETIME_MS;

/** The ticket if it may be served by a cell of this role now; it counts as used from here on. */
export function acceptTicket(
  untrusted: Uint8Array,
  role: CellRole,
  certifier: Certifier,
  now: number,
): GenuineTicket | undefined {
  const { identity, devices, models, used, startedAt } = certifier;
  const genuine = checkTicket(untrusted, identity.signing.publicKey, devices);
  if (typeof genuine === "string") return undefined;
  const { ticket, hash } = genuine;
  if (ticket.service !== (role === "worker" ? "task" : "control")) return undefined;
  if (ticket.issuedAt < startedAt) return undefined;
  if (ticket.issuedAt < now - OLDEST_TICKET_MS) return undefined;
  if (ticket.issuedAt > now + TICKET_LIFETIME_MS) return undefined;
  const model = Buffer.from(ticket.model).toString("hex");
  const isKnown =
    role === "worker"
      ? models.some(({ digest }) => digest === model)
      : sameBytes(ticket.model, NO_MODEL);
  if (!isKnown || used.use(hash, ticket.device, now) !== "first") return undefined;
  return genuine;
}

/** @param key the cell's one-time X25519 key, 32 bytes */
export function certify(
  { ticket, device, hash }: GenuineTicket,
  role: CellRole,
  key: Uint8Array,
  { identity, installation }: Certifier,
  now: number,
): Uint8Array {
  return certificateDocument.sign(
    {
      role,
      node: identity.signing.publicKey,
      key,
      ticket: hash,
      device: device.tunnelKey,
      model: ticket.model,
      ...installation,
      issuedAt: now,
      expiresAt: now + CERTIFICATE_LIFETIME_MS,
    },
    identity.signing.privateKey,
  );
}
