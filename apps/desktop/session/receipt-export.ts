/**
 * Receipts as a file that anybody can check with `phantoma verify receipt`, in this console's own folder.
 *
 * @module
 */
import { join } from "node:path";
import {
  ClientError,
  encodeReceiptFile,
  type NodeProfile,
  type VerifiedReceipt,
} from "@phantoma/client";
import { makePrivateDir, writePrivate } from "./private-file.ts";

/** Enough of a node's key to tell a person's nodes apart in a folder. */
const NODE_DIGITS = 8;

/** @returns the path of the file; the same receipts have the same */
export function saveReceipts(
  homeDir: string,
  profile: NodeProfile,
  receipts: readonly VerifiedReceipt[],
): string {
  const [newest] = receipts;
  const oldest = receipts.at(-1);
  if (!newest || !oldest)
    throw new ClientError("ERR_RECEIPT_UNKNOWN", "the node does not have this receipt any more");
  const numbers = newest === oldest ? [newest] : [oldest, newest];
  const parts = [
    profile.nodeKey.slice(0, NODE_DIGITS),
    newest.receipt.epoch,
    ...numbers.map(({ receipt }) => receipt.sequence),
  ];
  const bytes = encodeReceiptFile(profile, receipts);
  const dir = join(homeDir, "receipts");
  makePrivateDir(dir);
  const path = join(dir, `${parts.join("-")}.receipt`);
  writePrivate(path, bytes);
  return path;
}
