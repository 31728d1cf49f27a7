/** Receipts: signed, counted, honest about what nobody measured, and of a bounded number. */
import { documentHash, generateNodeIdentity, receiptDocument } from "@phantoma/crypto";
import { expect, test } from "vitest";
import { MAX_RECEIPTS, Receipts, type TaskRecord } from "./receipts.ts";

const bytes = (value: number) => new Uint8Array(32).fill(value);
const identity = generateNodeIdentity();
const open = (document: Uint8Array) =>
  receiptDocument.open(document, () => identity.signing.publicKey);

function task(number: number, device = 1): TaskRecord {
  const name = bytes(0);
  new DataView(name.buffer).setUint32(0, number);
  const digests = { workerKey: bytes(3), model: bytes(4), release: bytes(5) };
  const end = { certifiedAt: 100, endedAt: 200, grade: "C", cell: null } as const;
  return { task: name, device: bytes(device), ...digests, ...end };
}

test("a receipt says what the keeper knows, and null where nobody measured", async () => {
  const receipts = new Receipts(identity, 50);
  await receipts.issue(task(7));
  expect(open(receipts.find({}, 1)[0]!)).toEqual({
    node: identity.signing.publicKey,
    epoch: 50,
    sequence: 1n,
    ...task(7),
    warden: null,
  });
});

test("receipts are counted from 1 and found newest first, up to the limit", async () => {
  const receipts = new Receipts(identity, 0);
  for (let number = 0; number < 4; number += 1) await receipts.issue(task(number));
  const sequences = (limit: number) =>
    receipts.find({}, limit).map((document) => open(document).sequence);
  expect(sequences(10)).toEqual([4n, 3n, 2n, 1n]);
  expect(sequences(2)).toEqual([4n, 3n]);
  expect(sequences(0)).toEqual([]);
  expect(receipts.issued).toBe(4);
});

test("those below a number are found, also when the oldest are gone and when nothing is below it", async () => {
  const receipts = new Receipts(identity, 0);
  const owners = [1, 2, 1, 2];
  for (const [number, device] of owners.entries()) await receipts.issue(task(number, device));
  const below = (before: bigint, device?: number, limit = 10) =>
    receipts
      .find({ before, device: device === undefined ? undefined : bytes(device) }, limit)
      .map((document) => Number(open(document).sequence));
  expect(below(4n)).toEqual([3, 2, 1]);
  expect(below(4n, undefined, 2)).toEqual([3, 2]);
  expect(below(4n, 2)).toEqual([2]);
  expect(below(5n)).toEqual([4, 3, 2, 1]);
  expect(below(2n ** 64n - 1n)).toEqual([4, 3, 2, 1]);
  expect(below(1n)).toEqual([]);
  expect(below(0n)).toEqual([]);
});

test("a device finds its own, also when it knows the name of another's task", async () => {
  const receipts = new Receipts(identity, 0);
  await receipts.issue(task(1, 1));
  await receipts.issue(task(2, 2));
  const found = (device?: number, name?: number) =>
    receipts
      .find(
        {
          device: device === undefined ? undefined : bytes(device),
          task: name === undefined ? undefined : task(name).task,
        },
        10,
      )
      .map((document) => Number(open(document).sequence));
  expect(found(1)).toEqual([1]);
  expect(found(2)).toEqual([2]);
  expect(found(3)).toEqual([]);
  expect(found(1, 2)).toEqual([]);
  expect(found(undefined, 2)).toEqual([2]);
  expect(found(1, 1)).toEqual([1]);
});

test("only the newest are kept, and the count goes on", async () => {
  const receipts = new Receipts(identity, 0);
  for (let number = 0; number <= MAX_RECEIPTS; number += 1) void receipts.issue(task(number));
  await expect.poll(() => receipts.issued, { timeout: 10_000 }).toBe(MAX_RECEIPTS + 1);
  const kept = receipts.find({}, MAX_RECEIPTS + 10);
  expect(kept).toHaveLength(MAX_RECEIPTS);
  expect(open(kept.at(-1)!).sequence).toBe(2n);
  expect(receipts.find({ task: task(0).task }, 1)).toEqual([]);
  const [oldest] = receipts.find({ before: 3n }, 10);
  expect(open(oldest!).sequence).toBe(2n);
  expect(receipts.find({ before: 2n }, 10)).toEqual([]);
  expect(receipts.issued).toBe(MAX_RECEIPTS + 1);
});

test("the warden's part is in the receipt whose beginning it was asked about", async () => {
  const asked: Uint8Array[] = [];
  const part = {
    attempts: 5n,
    unreported: 1n,
    policy: bytes(6),
    bootId: bytes(7).subarray(16),
    signature: new Uint8Array(64),
  };
  const receipts = new Receipts(identity, 50, async (begun) => {
    asked.push(begun);
    return part;
  });
  await receipts.issue(task(7));
  const document = receipts.find({}, 1)[0]!;
  expect(open(document).warden).toEqual(part);
  expect(documentHash(document.subarray(0, 228))).toEqual(documentHash(asked[0]!));
});

test("a receipt waits for the one before it, so that none seems to be missing", async () => {
  const first = Promise.withResolvers<null>();
  const answers = [first.promise, Promise.resolve(null)];
  const receipts = new Receipts(identity, 0, () => answers.shift()!);
  void receipts.issue(task(1));
  const second = receipts.issue(task(2));
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(receipts.find({}, 10)).toEqual([]);
  first.resolve(null);
  await second;
  const found = receipts.find({}, 10);
  expect(found.map((document) => open(document).sequence)).toEqual([2n, 1n]);
});
