/**
 * All that a control plane says to a node: which heartbeat it heard, what time it is, and which files come along.
 * None of them is a command: the files carry signatures of their own, and are named here by SHA-256.
 *
 * @module
 */
import { documentKind } from "./document.ts";
import { bytes, list, optional, time, type ValuesOf } from "./fields.ts";

/** One node has one licence; the rest is room for an edition that is being changed. */
export const MAX_ANSWERED_LICENCES = 8;

const layout = {
  node: bytes(32),
  /** That of the heartbeat. */
  nonce: bytes(16),
  /** The control plane's clock. */
  time,
  /** The repository's `timestamp.json`, by its SHA-256; absent where there is no repository. */
  timestamp: optional(bytes(32)),
  /** The node's licences, each by the SHA-256 of the document. */
  licences: list(bytes(32), MAX_ANSWERED_LICENCES),
} as const;

export type HeartbeatAnswer = ValuesOf<typeof layout>;
export const heartbeatAnswerDocument = documentKind(10, 1, "heartbeat answer", layout);
