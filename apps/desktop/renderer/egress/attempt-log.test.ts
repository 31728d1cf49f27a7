import { expect, test } from "vitest";
import type { Attempt } from "../../ipc/contract.ts";
import { MAX_ROWS, readOn, skippedBelow, type ReadEgress } from "./attempt-log.ts";

const attempt = (sequence: number): Attempt => ({
  sequence,
  at: sequence,
  unit: "worker",
  hook: "connect4",
  protocol: "tcp",
  address: "192.0.2.1",
  port: 443,
});

/** A node that has logged so many, and answers as the protocol says: oldest first. */
function nodeWith(latest: number): { read: ReadEgress; asked: number[] } {
  const asked: number[] = [];
  const read: ReadEgress = async (after) => {
    asked.push(after);
    const count = Math.max(0, Math.min(MAX_ROWS, latest - after));
    const events = Array.from({ length: count }, (_, place) => attempt(after + place + 1));
    return { policy: null, countingSince: 0, counts: [], days: [], events, latest };
  };
  return { read, asked };
}

test("the first read of a long log shows the newest", async () => {
  const { read, asked } = nodeWith(90_000);
  const log = await readOn(undefined, read);
  expect(asked).toEqual([0, 90_000 - MAX_ROWS]);
  expect([log.rows.length, log.rows[0]?.sequence, log.through]).toEqual([MAX_ROWS, 90_000, 90_000]);
});

test("a few new attempts come above the old ones in one question", async () => {
  const first = await readOn(undefined, nodeWith(3).read);
  const { read, asked } = nodeWith(5);
  const log = await readOn(first, read);
  expect(asked).toEqual([3]);
  expect(log.rows.map(({ sequence }) => sequence)).toEqual([5, 4, 3, 2, 1]);
});

test("a flood between two reads costs two questions and leaves the newest", async () => {
  const first = await readOn(undefined, nodeWith(3).read);
  const { read, asked } = nodeWith(200_000);
  const log = await readOn(first, read);
  expect(asked).toEqual([3, 200_000 - MAX_ROWS]);
  expect(log.rows).toHaveLength(MAX_ROWS);
});

test("what was skipped is counted between the rows", async () => {
  const first = await readOn(undefined, nodeWith(3).read);
  const { rows } = await readOn(first, nodeWith(MAX_ROWS + 3).read);
  expect(skippedBelow(rows, 0)).toBe(0);
  expect(skippedBelow([attempt(9), attempt(3)], 0)).toBe(5);
  expect(skippedBelow([attempt(9)], 0)).toBe(0);
});

test("a node that counts anew is read anew, and nothing of before stays", async () => {
  const first = await readOn(undefined, nodeWith(50).read);
  const log = await readOn(first, nodeWith(2).read);
  expect(log.rows.map(({ sequence }) => sequence)).toEqual([2, 1]);
  expect(log.through).toBe(2);
});
