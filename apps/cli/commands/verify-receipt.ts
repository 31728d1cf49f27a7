/**
 * phantoma verify receipt: checks a file of receipts anywhere. It needs no node, no network and no key.
 *
 * @module
 */
import { closeSync, openSync, readSync } from "node:fs";
import {
  MAX_RECEIPT_FILE_BYTES,
  openReceiptFile,
  receiptGaps,
  type ReceiptFile,
} from "@phantoma/client";
import { fingerprint } from "@phantoma/crypto";
import type { Command } from "../command.ts";
import { globalOptions, parse } from "../options.ts";
import { UsageError, write, writeJson } from "../output.ts";
import { gapText, receiptJson, writeReceipt } from "../receipt-text.ts";

const options = {
  ...globalOptions,
  node: { type: "string" },
  warden: { type: "string" },
} as const;

export const verifyReceipt: Command = {
  usage: "verify receipt FILE [--node FINGERPRINT] [--warden FINGERPRINT]",
  summary: "checks exported receipts, offline: who signed what, and what nobody measured",
  async run(args) {
    const { values, positionals } = parse(args, options);
    const [kind, path, ...more] = positionals;
    if (kind !== "receipt" || !path || more.length > 0)
      throw new UsageError("verify wants: receipt FILE");
    const file = openReceiptFile(readBounded(path), values);
    const gaps = receiptGaps(file.receipts.map(({ receipt }) => receipt));
    if (values.json) {
      writeJson({
        ...keys(file, values),
        receipts: file.receipts.map(receiptJson),
        missing: gaps,
      });
      return 0;
    }
    for (const receipt of file.receipts) writeReceipt(receipt, NOT_COMPARED);
    for (const gap of gaps) write(`${gapText(gap)} in this file\n`);
    write(`\nEvery signature is genuine. They are of these keys:\n`);
    writeKey("node", file.node, values.node);
    if (file.warden) writeKey("warden", file.warden, values.warden);
    write("A node that was taken over as root can report what it likes.\n");
    return 0;
  },
};

/** The file names the key, and its signature is genuine; whose key it is, nobody has said yet. */
const NOT_COMPARED = "the warden reports, signed with the key below, which nobody compared";

/** One byte more than a file may have, so that a longer one is seen to be longer. */
function readBounded(path: string): Buffer {
  const bytes = Buffer.alloc(MAX_RECEIPT_FILE_BYTES + 1);
  let length = 0;
  try {
    const file = openSync(path, "r");
    try {
      for (let got = 1; got > 0 && length < bytes.length; length += got)
        got = readSync(file, bytes, length, bytes.length - length, null);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
  return bytes.subarray(0, length);
}

interface Compared {
  readonly node?: string | undefined;
  readonly warden?: string | undefined;
}

function keys({ node, warden }: ReceiptFile, compared: Compared) {
  return {
    node: { key: node, fingerprint: fingerprint(node), isCompared: compared.node !== undefined },
    warden: warden && {
      key: warden,
      fingerprint: fingerprint(warden),
      isCompared: compared.warden !== undefined,
    },
  };
}

function writeKey(whose: string, key: Uint8Array, compared: string | undefined): void {
  const is = compared === undefined ? `not compared: give --${whose}` : "compared, and the same";
  write(`  ${whose.padEnd(7)} ${fingerprint(key)}\n          ${is}\n`);
}
