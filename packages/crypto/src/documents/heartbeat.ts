/**
 * All that a node ever says to the control plane: closed, without a place for anybody's words.
 *
 * @module
 */
import { documentKind } from "./document.ts";
import { bytes, choice, counter, optional, time, unsigned, type ValuesOf } from "./fields.ts";

const layout = {
  node: bytes(32),
  sequence: counter,
  /** The answer must repeat it. */
  nonce: bytes(16),
  issuedAt: time,
  /** SHA-256 of the installed release. */
  release: bytes(32),
  /** Versions of the update metadata that the node holds. */
  rootVersion: unsigned(4),
  targetsVersion: unsigned(4),
  licence: optional(bytes(16)),
  health: choice({ good: 1, degraded: 2, failing: 3 }),
} as const;

export type Heartbeat = ValuesOf<typeof layout>;
export const heartbeatDocument = documentKind(7, 1, "heartbeat", layout);
