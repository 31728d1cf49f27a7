/** Whose receipt it is, and which ones are missing. */
import { generateDeviceIdentity, type Certificate } from "@phantoma/crypto";
import { expect, test } from "vitest";
import type { ReceiptQuery } from "./control-session.ts";
import { assertReceiptOf, receiptGaps, receiptPage } from "./receipts.ts";
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

/** A node that has receipts 1 to `last` but for some, and gives them as asked. */
function nodeWith(last: number, ...withheld: number[]) {
  const maker = new ReceiptMaker();
  const all = Array.from({ length: last }, (_, index) => last - index)
    .filter((number) => !withheld.includes(number))
    .map((number) => maker.make({ sequence: BigInt(number) }));
  const receipts = async ({ before = Infinity, limit = 20 }: ReceiptQuery = {}) =>
    all.filter(({ receipt }) => receipt.sequence < before).slice(0, limit);
  return async (before: number | null) => {
    const { receipts: given, gaps, next } = await receiptPage({ receipts }, before);
    const numbers = given.map(({ receipt }) => Number(receipt.sequence));
    return { first: numbers[0], last: numbers.at(-1), gaps, next };
  };
}

test("pages follow one another to the first receipt, and none is twice or left out", async () => {
  const page = nodeWith(200);
  expect(await page(null)).toEqual({ first: 200, last: 101, gaps: [], next: 101 });
  expect(await page(101)).toEqual({ first: 100, last: 2, gaps: [], next: 2 });
  expect(await page(2)).toEqual({ first: 1, last: 1, gaps: [], next: null });
  expect(await page(1)).toEqual({ first: undefined, last: undefined, gaps: [], next: null });
  expect(await nodeWith(100)(null)).toMatchObject({ last: 1, next: null });
});

test("what is missing between two pages is named, and nothing below a number that the node never had", async () => {
  const page = nodeWith(200, 100, 99);
  expect(await page(null)).toMatchObject({ last: 101, gaps: [] });
  expect(await page(101)).toMatchObject({ first: 98, gaps: [{ epoch: 1, from: 99n, to: 100n }] });
  expect(await page(500)).toMatchObject({ first: 200, gaps: [] });
});
