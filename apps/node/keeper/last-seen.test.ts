/** When a device was last let in: by the hour, and never more of them than a list has. */
import { MAX_DEVICES } from "@phantoma/crypto";
import { expect, test } from "vitest";
import { LastSeen } from "./last-seen.ts";

const HOUR = 3_600_000;
const key = (fill: number) => new Uint8Array(32).fill(fill);

test("nothing finer than the hour is kept", () => {
  const seen = new LastSeen();
  seen.saw(key(1), 10 * HOUR);
  seen.saw(key(2), 11 * HOUR - 1);
  seen.saw(key(1), 12 * HOUR + 1);
  expect(seen.list()).toEqual([
    { device: "02".repeat(32), hour: 10 * HOUR },
    { device: "01".repeat(32), hour: 12 * HOUR },
  ]);
});

test("as many as a list has are kept, and one more drops the longest unseen", () => {
  const seen = new LastSeen();
  for (let fill = 1; fill <= MAX_DEVICES; fill += 1) seen.saw(key(fill), HOUR);
  expect(seen.list()).toHaveLength(MAX_DEVICES);
  seen.saw(key(0), HOUR);
  expect(seen.list()).toHaveLength(MAX_DEVICES);
  expect(seen.list().some(({ device }) => device === "01".repeat(32))).toBe(false);
});
