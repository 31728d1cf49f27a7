/**
 * The keeper's word on one process: this one-time key serves this ticket of this device.
 *
 * @module
 */
import { documentKind } from "./document.ts";
import { bytes, choice, time, type ValuesOf } from "./fields.ts";

const layout = {
  role: choice({ worker: 1, clerk: 2 }),
  /** The node's Ed25519 key, which signed this. */
  node: bytes(32),
  /** The process's one-time X25519 key; the handshake's `s` must be this one. */
  key: bytes(32),
  /** SHA-256 of the ticket: each ticket is certified once. */
  ticket: bytes(32),
  /** The X25519 key of the only device that the process will talk to. */
  device: bytes(32),
  /** SHA-256 of the model file, as the keeper read it; zeros for a clerk. */
  model: bytes(32),
  /** SHA-256 that names the installed release; zeros for a development tree. */
  release: bytes(32),
  /** Who made the process: PID 1, or our own gateway in demo mode. */
  starter: choice({ systemd: 1, gateway: 2 }),
  /** What the kernel enforces on it. */
  policy: choice({ none: 1, demo: 2, enforced: 3 }),
  issuedAt: time,
  expiresAt: time,
} as const;

export type Certificate = ValuesOf<typeof layout>;
export const certificateDocument = documentKind(2, 1, "certificate", layout);
