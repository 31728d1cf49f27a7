/**
 * What a node says about one task after its end, each part by the process that saw it.
 *
 * What was not measured is `null`, never zero. A node taken over as root can lie: the receipt says
 * what the node reports, and the threat model says so.
 *
 * @module
 */
import { documentKind } from "./document.ts";
import { bytes, choice, counter, group, optional, time, type ValuesOf } from "./fields.ts";

const layout = {
  node: bytes(32),
  /** When the keeper started; receipts live in memory, so their sequence begins anew then. */
  epoch: time,
  /** Counts this node's receipts from 1 since `epoch`, so that a missing one shows. */
  sequence: counter,
  /** SHA-256 of the ticket. */
  task: bytes(32),
  /** The device's Ed25519 key. */
  device: bytes(32),
  /** The one-time X25519 key that was certified for the task. */
  workerKey: bytes(32),
  /** SHA-256 of the model file. */
  model: bytes(32),
  release: bytes(32),
  certifiedAt: time,
  /** When the worker's own channel to the keeper closed: its process was gone, or about to be. */
  endedAt: time,
  /** Witness: the cell around the worker. */
  cell: optional(
    group({
      end: choice({ finished: 1, timeout: 2, disconnected: 3, crashed: 4, killed: 5, memory: 6 }),
      wipedBytes: counter,
      wipedAt: time,
    }),
  ),
  /** Witness: the warden, which signs its own part (Ed25519 over the fields before). */
  warden: optional(
    group({
      attempts: counter,
      unreported: counter,
      policy: bytes(32),
      bootId: bytes(16),
      signature: bytes(64),
    }),
  ),
} as const;

export type Receipt = ValuesOf<typeof layout>;
export const receiptDocument = documentKind(6, 1, "receipt", layout);
