import { expect, test } from "vitest";
import { formatBytes, formatCountdown, formatDuration, formatRate, shortHex } from "./format.ts";

test.each([
  [119_001, "2:00"],
  [65_000, "1:05"],
  [900, "0:01"],
  [0, "0:00"],
  [-5_000, "0:00"],
])("%i ms are counted down as %s", (ms, text) => {
  expect(formatCountdown(ms)).toBe(text);
});

test("durations, rates and sizes keep two or three digits", () => {
  expect([38, 420, 12_340].map(formatDuration)).toEqual(["38 ms", "0.42 s", "12 s"]);
  expect([3.1234, 57.6].map(formatRate)).toEqual(["3.1", "58"]);
  expect([0, 999, 1000, 4_200_000, 999_600_000].map(formatBytes)).toEqual([
    "0 B",
    "999 B",
    "1.0 kB",
    "4.2 MB",
    "1.0 GB",
  ]);
});

test("a short name keeps both ends", () => {
  expect(shortHex(`${"a".repeat(32)}${"b".repeat(32)}`)).toBe("aaaaaaaa…bbbb");
});
