/** Refused attempts: kept up to a limit, counted by day, and the numbers survive a restart. */
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { temporaryDir } from "../test-node.ts";
import { EgressLog, MAX_EVENTS } from "./egress-log.ts";
import type { WardenEvent } from "./warden-words.ts";

const DAY_MS = 86_400_000;
const NOON = Date.UTC(2026, 10, 30, 12);

const event: WardenEvent = {
  sequence: 9,
  bootNs: 1,
  unit: "worker",
  hook: "connect4",
  protocol: "tcp",
  address: "192.0.2.1",
  port: 443,
};
const status = (attempts: number, bootId = "a") => ({
  bootId,
  counts: [
    { unit: "worker" as const, attempts, logged: attempts, lost: 0 },
    { unit: "probe" as const, attempts: 5, logged: 5, lost: 0 },
  ],
});

let path: string;
let log: EgressLog;
beforeEach(() => {
  path = join(temporaryDir(), "egress-days");
  log = new EgressLog(path);
});

test("attempts are numbered from 1 in the order they came, and found after any of them", () => {
  for (let count = 0; count < 5; count += 1) log.add(event, NOON);
  expect(log.since(0, 200).map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5]);
  expect(log.since(3, 1).map(({ sequence }) => sequence)).toEqual([4]);
  expect(log.since(5, 200)).toEqual([]);
  expect(log.since(Number.MAX_SAFE_INTEGER, 200)).toEqual([]);
  expect(log.latest).toBe(5);
});

test("only the newest are kept, however many there were", () => {
  for (let count = 0; count < 3 * MAX_EVENTS + 1; count += 1) log.add(event, NOON);
  const [oldest] = log.since(0, 1);
  expect(oldest!.sequence).toBe(2 * MAX_EVENTS + 2);
  expect(log.since(3 * MAX_EVENTS, 200)).toHaveLength(1);
});

test("a day without attempts has a row all the same, and the probe's own are no attempts", () => {
  log.observe(status(0), NOON);
  expect(log.days).toEqual([{ day: "2026-11-30", attempts: 0 }]);
  expect(log.counts).toHaveLength(2);
  expect(log.countingSince).toBe(NOON);
});

test("what is new goes into its day, once", () => {
  log.observe(status(2), NOON);
  log.observe(status(2), NOON + 1);
  log.observe(status(5), NOON + DAY_MS);
  expect(log.days).toEqual([
    { day: "2026-11-30", attempts: 2 },
    { day: "2026-12-01", attempts: 3 },
  ]);
});

test("thirty days are kept", () => {
  for (let day = 0; day < 40; day += 1) log.observe(status(day), NOON + day * DAY_MS);
  expect(log.days).toHaveLength(30);
  expect(log.days.at(-1)).toEqual({ day: "2027-01-08", attempts: 1 });
});

test("the numbers survive a restart, and only numbers are written", () => {
  log.add(event, NOON);
  log.observe(status(2), NOON);
  const again = new EgressLog(path);
  again.observe(status(3), NOON + 1);
  expect(again.days).toEqual([{ day: "2026-11-30", attempts: 3 }]);
  expect(again.countingSince).toBe(NOON);
  expect(readFileSync(path, "utf8")).not.toMatch(/192|worker|connect/);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a boot counts anew, and so does a warden whose counts went back", () => {
  log.observe(status(5), NOON);
  log.observe(status(1, "b"), NOON + 1);
  log.observe(status(0, "b"), NOON + 2);
  expect(log.days).toEqual([{ day: "2026-11-30", attempts: 6 }]);
  expect(log.countingSince).toBe(NOON + 2);
});

test.each(["", "{", '{"days":"x"}'])("a file of %j begins anew", (text) => {
  writeFileSync(path, text);
  const again = new EgressLog(path);
  again.observe(status(1), NOON);
  expect(again.days).toEqual([{ day: "2026-11-30", attempts: 1 }]);
});
