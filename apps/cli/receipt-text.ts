/**
 * A receipt for people: who said what, and what nobody measured.
 *
 * @module
 */
import { wipeWords, type ReceiptGap, type VerifiedReceipt } from "@phantoma/client";
import { hex, timeText, write } from "./output.ts";

/** In the middle of a table, a digest is known by its beginning. */
const SHORT_DIGITS = 16;

/** @param unverified whose word the warden's part is, where nobody said which key is the warden's */
export function writeReceipt(
  { receipt, witness }: VerifiedReceipt,
  unverified = "the keeper says of the warden, whose key this device was never told",
): void {
  const { cell, warden } = receipt;
  write(`receipt ${receipt.sequence}, counted since ${timeText(receipt.epoch)}\n`);
  write("  the node reports, signed by its keeper\n");
  write(`    task       ${hex(receipt.task)}\n`);
  write(`    device     ${hex(receipt.device)}\n`);
  write(`    worker     ${hex(receipt.workerKey)}\n`);
  write(`    model      ${hex(receipt.model)}\n`);
  write(`    release    ${releaseText(receipt.release)}\n`);
  write(`    certified  ${timeText(receipt.certifiedAt)}\n`);
  write(`    ended      ${timeText(receipt.endedAt)}\n`);
  write(`    grade      ${gradeText(receipt.grade)}\n`);
  write("  the cell reports, through the keeper\n");
  if (!cell) write("    not measured\n");
  else
    write(
      `    end        ${cell.end}\n    overwrote  ${cell.wipedBytes} bytes at ${timeText(cell.wipedAt)}\n`,
    );
  write(`  ${witness === "unverified" ? unverified : wardenTitles[witness]}\n`);
  if (!warden) return write("    not measured\n");
  write(`    attempts   ${warden.attempts} to reach a network, refused by the kernel\n`);
  write(`    unreported ${warden.unreported} of them are in no list of attempts\n`);
  write(`    policy     ${hex(warden.policy)}\n`);
  write(`    boot       ${hex(warden.bootId)}\n`);
}

export function writeRow({ receipt, witness }: VerifiedReceipt): void {
  const { sequence, endedAt, task, grade, cell, warden } = receipt;
  const attempts = warden ? `${warden.attempts} attempts` : "not measured";
  const columns = [
    String(sequence).padStart(6),
    timeText(endedAt),
    hex(task).slice(0, SHORT_DIGITS),
    (cell?.end ?? "not measured").padEnd(12),
    (grade ? `grade ${grade}` : "no grade").padEnd(8),
    `${attempts}${witness === "unverified" ? " (nobody told this device the warden's key)" : ""}`,
  ];
  write(`${columns.join("  ")}\n`);
}

export function gapText({ from, to }: ReceiptGap): string {
  return from === to ? `receipt ${from} is missing` : `receipts ${from} to ${to} are missing`;
}

/** For programs. */
export function receiptJson({ receipt, witness, document }: VerifiedReceipt) {
  return { ...receipt, witness, document };
}

/** The keeper's word; a receipt of the first version has none. */
function gradeText(grade: VerifiedReceipt["receipt"]["grade"]): string {
  if (grade === null) return "not recorded: this receipt is older than grades in receipts";
  return `${grade}: ${wipeWords[grade]}, from what the node's doctor read and its cell reported`;
}

function releaseText(release: Uint8Array): string {
  return release.some((byte) => byte !== 0) ? hex(release) : "none: the node runs from its sources";
}

const wardenTitles = {
  verified: "the warden reports, with a signature of its own",
  absent: "the warden",
} as const;
