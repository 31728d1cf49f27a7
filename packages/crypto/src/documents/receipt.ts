/**
 * What a node says about one task after its end, each part by the process that saw it.
 *
 * What was not measured is `null`, never zero. A node taken over as root can lie: the receipt says
 * what the node reports, and the threat model says so.
 *
 * @module
 */
import { CryptoError } from "../crypto-error.ts";
import { ED25519_SIGNATURE_BYTES, verifyEd25519 } from "../ed25519.ts";
import { sameBytes } from "./device-list.ts";
import { documentKind } from "./document.ts";
import { bytes, choice, counter, group, optional, time, type ValuesOf } from "./fields.ts";

const task = {
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
} as const;

const witnesses = {
  /** Witness: the cell around the worker. */
  cell: optional(
    group({
      end: choice({ finished: 1, timeout: 2, disconnected: 3, crashed: 4, killed: 5, memory: 6 }),
      wipedBytes: counter,
      wipedAt: time,
    }),
  ),
  /** Witness: the warden, which signs its own part; see {@link openReceipt}. */
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

const layout = {
  ...task,
  /**
   * Witness: the keeper, from what the doctor read of the machine as the task began and as it ended, and from
   * whether there is a cell's part. What was not read counts as not good, so this is what was shown at least.
   */
  grade: choice({ A: 1, B: 2, C: 3 }),
  ...witnesses,
} as const;

/** As it is signed today. */
export type GradedReceipt = ValuesOf<typeof layout>;
export const receiptDocument = documentKind(6, 2, "receipt", layout);

/** Without a grade: read, because people keep files of receipts, and signed no more. */
export const firstReceiptDocument = documentKind(6, 1, "receipt", { ...task, ...witnesses });

/** As it is read: one of the first version has no grade. */
export type Receipt = Omit<GradedReceipt, "grade"> & {
  readonly grade: GradedReceipt["grade"] | null;
};

/** What the warden saw, as it gives it to the keeper. */
export type WardenPart = NonNullable<Receipt["warden"]>;

/** A receipt with the bytes that prove it. */
export interface VerifiedReceipt {
  readonly receipt: Receipt;
  readonly document: Uint8Array;
  /**
   * Of the warden's part: there is none; its signature is the warden's; or nobody told us the warden's key,
   * so it is the keeper's word only.
   */
  readonly witness: "absent" | "verified" | "unverified";
}

/** The zero byte at the end is signed too. */
const WITNESS_DOMAIN = Buffer.from("phantoma receipt witness v1\0", "ascii");
const PRESENCE_BYTES = 1;
const VERSION_AT = 1;

/**
 * Opens a receipt of `node`, of either version, and the warden's part in it with the warden's key.
 *
 * The warden signs all bytes from the receipt's first to the last of its own part: its numbers cannot be put
 * into another receipt, and nobody but it can make any.
 *
 * @param warden its Ed25519 key as it was told at set-up; `undefined` where it was not
 * @throws {@link CryptoError} `ERR_AUTHENTICATION` also when only the warden's part is not genuine
 */
export function openReceipt(
  untrusted: Uint8Array,
  node: Uint8Array,
  warden: Uint8Array | undefined,
): VerifiedReceipt {
  const findKey = (unverified: Pick<Receipt, "node">) =>
    sameBytes(unverified.node, node) ? node : undefined;
  const receipt: Receipt =
    untrusted[VERSION_AT] === 1
      ? { ...firstReceiptDocument.open(untrusted, findKey), grade: null }
      : receiptDocument.open(untrusted, findKey);
  const document = new Uint8Array(untrusted);
  if (!receipt.warden) return { receipt, document, witness: "absent" };
  if (!warden) return { receipt, document, witness: "unverified" };
  const end = document.length - 2 * ED25519_SIGNATURE_BYTES;
  const signed = Buffer.concat([WITNESS_DOMAIN, document.subarray(0, end)]);
  if (!verifyEd25519(warden, signed, receipt.warden.signature))
    throw new CryptoError("ERR_AUTHENTICATION", "the warden's part is not the warden's");
  return { receipt, document, witness: "verified" };
}

/** Of a receipt without a warden's part: all that the warden is asked to sign, with its numbers after it. */
export function beforeWardenPart(unwitnessed: Uint8Array): Uint8Array {
  return unwitnessed.subarray(0, -(PRESENCE_BYTES + ED25519_SIGNATURE_BYTES));
}
