/** How long an answer looks: buckets that hide its length, and when its end may leave. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bucketRecords, SteadyAnswer } from "./steady-answer.ts";

describe("a bucket", () => {
  test("of the shortest answers is 40 records, and the next is 50", () => {
    expect([1, 40, 41, 50, 51].map(bucketRecords)).toEqual([40, 40, 50, 50, 63]);
  });

  test("holds its answer, is full when it is full, and never shrinks", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), (records) => {
        const bucket = bucketRecords(records);
        expect(bucket).toBeGreaterThanOrEqual(records);
        expect(bucketRecords(bucket)).toBe(bucket);
        expect(bucketRecords(records + 1)).toBeGreaterThanOrEqual(bucket);
      }),
    );
  });

  test("adds at most a quarter to an answer longer than the smallest, and one record of rounding", () => {
    for (let records = 41; records < 20_000; records += 1)
      expect(bucketRecords(records)).toBeLessThanOrEqual(Math.ceil(records * 1.25));
  });
});

/** Counts drained records until the end is due. */
function recordsUntilEnd(answer: SteadyAnswer, limit = 10_000): number {
  for (let count = 1; count <= limit; count += 1) if (answer.countRecord(true)) return count;
  throw new Error("no end");
}

describe("the end of an answer", () => {
  test.each([
    [0, 40],
    [1, 39],
    [39, 1],
    [40, 10],
    [49, 1],
    [50, 13],
  ])("leaves, after %i records of text, with record %i more", (said, more) => {
    const answer = new SteadyAnswer();
    answer.begin();
    for (let count = 0; count < said; count += 1) expect(answer.countRecord(false)).toBe(false);
    answer.finish();
    expect(recordsUntilEnd(answer)).toBe(more);
    expect(answer.isActive).toBe(false);
  });

  test("waits for the next bucket while text is left at the end of this one", () => {
    const answer = new SteadyAnswer();
    answer.begin();
    answer.finish();
    for (let count = 1; count < 40; count += 1) answer.countRecord(true);
    expect(answer.countRecord(false)).toBe(false);
    expect(recordsUntilEnd(answer)).toBe(10);
  });

  test("does not leave while the answer goes on, though nothing is queued", () => {
    const answer = new SteadyAnswer();
    answer.begin();
    for (let count = 0; count < 200; count += 1) expect(answer.countRecord(true)).toBe(false);
    expect(answer.isActive).toBe(true);
  });
});

test("a turn that begins while the last one is rounded up gets a bucket of its own", () => {
  const answer = new SteadyAnswer();
  answer.begin();
  for (let count = 0; count < 30; count += 1) answer.countRecord(true);
  answer.finish();
  for (let count = 0; count < 5; count += 1) expect(answer.countRecord(true)).toBe(false);
  answer.begin();
  expect(answer.isActive).toBe(true);
  for (let count = 0; count < 20; count += 1) expect(answer.countRecord(true)).toBe(false);
  answer.finish();
  expect(recordsUntilEnd(answer)).toBe(20);
});

test("a finish without an answer changes nothing", () => {
  const answer = new SteadyAnswer();
  answer.finish();
  expect([answer.isActive, answer.countRecord(true)]).toEqual([false, false]);
});
