/**
 * What a device makes of its node's receipts: whether one belongs to a task that it knows, and whether some
 * are missing.
 *
 * @module
 */
import {
  sameBytes,
  type Certificate,
  type DeviceIdentity,
  type Receipt,
  type VerifiedReceipt,
} from "@phantoma/crypto";
import { ClientError } from "./client-error.ts";
import type { ControlSession } from "./control-session.ts";

/**
 * A receipt must be of the very task that this device had: its ticket, the one-time key that the handshake
 * proved, the model and release that were certified.
 *
 * @param certificate of the tunnel
 * @throws {@link ClientError} `ERR_NODE_IDENTITY`
 */
export function assertReceiptOf(
  receipt: Receipt,
  certificate: Certificate,
  { signing }: Pick<DeviceIdentity, "signing">,
): void {
  const pairs: Record<string, readonly [Uint8Array, Uint8Array]> = {
    node: [receipt.node, certificate.node],
    task: [receipt.task, certificate.ticket],
    device: [receipt.device, signing.publicKey],
    "worker's key": [receipt.workerKey, certificate.key],
    model: [receipt.model, certificate.model],
    release: [receipt.release, certificate.release],
  };
  for (const [name, [said, known]] of Object.entries(pairs))
    if (!sameBytes(said, known))
      throw new ClientError(
        "ERR_NODE_IDENTITY",
        `a receipt names another ${name} than the task had`,
      );
}

/** As many as a node gives at once. */
const PAGE_RECEIPTS = 100;

export interface ReceiptPage {
  /** Newest first. */
  readonly receipts: readonly VerifiedReceipt[];
  /** Also between this page and the one it follows. */
  readonly gaps: readonly ReceiptGap[];
  /** What the next page is asked for with; `null` after the last. */
  readonly next: number | null;
}

/** @param before `null` for the newest; otherwise the last number of another page, or any number */
export async function receiptPage(
  control: Pick<ControlSession, "receipts">,
  before: number | null,
): Promise<ReceiptPage> {
  // That number's own is asked for too: only where the node has it, what is missing below it is missing.
  const below = before === null ? {} : { before: before + 1 };
  const given = await control.receipts({ ...below, limit: PAGE_RECEIPTS });
  const oldest = Number(given.at(-1)?.receipt.sequence ?? 1n);
  return {
    receipts: given.filter(({ receipt }) => before === null || receipt.sequence < BigInt(before)),
    gaps: receiptGaps(given.map(({ receipt }) => receipt)),
    next: given.length === PAGE_RECEIPTS && oldest > 1 ? oldest : null,
  };
}

/** Receipts that were not among those given, in one run of the keeper. */
export interface ReceiptGap {
  readonly epoch: number;
  readonly from: bigint;
  readonly to: bigint;
}

/**
 * What is missing between the receipts that are given, oldest first. Numbers are counted over all devices:
 * only an admin is given every receipt, and only there a gap means that one was withheld.
 *
 * @param receipts in any order; each at most once
 */
export function receiptGaps(
  receipts: readonly Pick<Receipt, "epoch" | "sequence">[],
): ReceiptGap[] {
  const sorted = receipts.toSorted(
    (a, b) => a.epoch - b.epoch || (a.sequence < b.sequence ? -1 : 1),
  );
  return sorted.flatMap(({ epoch, sequence }, index) => {
    const before = sorted[index - 1];
    if (before?.epoch !== epoch || before.sequence + 1n >= sequence) return [];
    return [{ epoch, from: before.sequence + 1n, to: sequence - 1n }];
  });
}
