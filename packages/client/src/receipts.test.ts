/** Whose receipt it is, and which ones are missing. */
import { generateDeviceIdentity, type Certificate } from "@phantoma/crypto";
import { expect, test } from "vitest";
import { assertReceiptOf, receiptGaps } from "./receipts.ts";
import { ReceiptMaker } from "./test-receipt.ts";

const other = new Uint8Array(32).fill(99);
const device = generateDeviceIdentity();
const { receipt } = new ReceiptMaker().make({ device: device.signing.publicKey });
const certificate = {
  node: receipt.node,
  ticket: receipt.task,
  key: receipt.workerKey,
  model: receipt.model,
  release: receipt.release,
} as Certificate;

test("a receipt of the very task is taken", () => {
  expect(() => assertReceiptOf(receipt, certificate, device)).not.toThrow();
});

test.each(["node", "ticket", "key", "model", "release"] as const)(
  "one with another %s than the handshake proved is not",
  (field) => {
    expect(() => assertReceiptOf(receipt, { ...certificate, [field]: other }, device)).toThrow(
      expect.objectContaining({ code: "ERR_NODE_IDENTITY" }),
    );
  },
);

test("one of another device is not", () => {
  expect(() => assertReceiptOf(receipt, certificate, generateDeviceIdentity())).toThrow(
    expect.objectContaining({ code: "ERR_NODE_IDENTITY" }),
  );
});

const numbered = (epoch: number, ...sequences: bigint[]) =>
  sequences.map((sequence) => ({ epoch, sequence }));

test("numbers that are missing between receipts are named, in any order of the receipts", () => {
  expect(receiptGaps(numbered(1, 9n, 3n, 7n, 8n))).toEqual([{ epoch: 1, from: 4n, to: 6n }]);
  expect(receiptGaps(numbered(1, 1n, 3n, 5n))).toEqual([
    { epoch: 1, from: 2n, to: 2n },
    { epoch: 1, from: 4n, to: 4n },
  ]);
});

test("nothing is missing in a row, in one receipt, in none, or between two runs of the keeper", () => {
  expect(receiptGaps(numbered(1, 5n, 4n, 3n))).toEqual([]);
  expect(receiptGaps(numbered(1, 5n))).toEqual([]);
  expect(receiptGaps([])).toEqual([]);
  expect(receiptGaps([...numbered(1, 5n), ...numbered(2, 9n)])).toEqual([]);
});
