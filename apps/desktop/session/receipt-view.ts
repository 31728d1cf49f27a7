/**
 * Receipts as the page shows them. packages/client has checked their signatures.
 *
 * @module
 */
import type { VerifiedReceipt } from "@phantoma/client";
import type { Receipt } from "../ipc/node.ts";

/** @param isOwn whether it is of a task that this console had, by what its connection proved */
export function receiptView(
  { receipt, witness, document }: VerifiedReceipt,
  isOwn: boolean,
): Receipt {
  const { cell, warden } = receipt;
  return {
    task: hex(receipt.task),
    sequence: Number(receipt.sequence),
    epoch: receipt.epoch,
    model: hex(receipt.model),
    release: hex(receipt.release),
    certifiedAt: receipt.certifiedAt,
    endedAt: receipt.endedAt,
    grade: receipt.grade,
    cell: cell && {
      end: cell.end,
      wipedBytes: Number(cell.wipedBytes),
      wipedAt: cell.wipedAt,
    },
    warden: warden && {
      attempts: Number(warden.attempts),
      unreported: Number(warden.unreported),
      policy: hex(warden.policy),
      isSigned: witness === "verified",
    },
    isOwn,
    document: Buffer.from(document).toString("base64"),
  };
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
