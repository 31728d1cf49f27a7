/**
 * What a device shows at the upgrade: one session with one node, soon.
 *
 * It spares the node work for strangers; the certificate, not the ticket, is what lets anyone in.
 *
 * @module
 */
import { documentKind } from "./document.ts";
import { bytes, choice, time, type ValuesOf } from "./fields.ts";

const layout = {
  /** The node's Ed25519 key: a ticket is of no use anywhere else. */
  node: bytes(32),
  /** The device's Ed25519 key, which signed this. */
  device: bytes(32),
  service: choice({ task: 1, control: 2 }),
  /** SHA-256 of the model file; zeros for a control session. */
  model: bytes(32),
  nonce: bytes(16),
  issuedAt: time,
} as const;

export type Ticket = ValuesOf<typeof layout>;
export const ticketDocument = documentKind(1, 1, "ticket", layout);

/** Two header bytes, the fields above and the signature: every ticket is this long. */
export const TICKET_BYTES = 2 + 32 + 32 + 1 + 32 + 16 + 8 + 64;

/** What a control ticket names instead of a model. */
export const NO_MODEL: Uint8Array = new Uint8Array(32);
