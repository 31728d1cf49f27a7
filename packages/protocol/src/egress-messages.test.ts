/** What a node says of its kernel policy, at its bounds and one past them. */
import { describe, expect, test } from "vitest";
import {
  egressEventSchema,
  egressSchema,
  egressUnits,
  policyStateSchema,
} from "./egress-messages.ts";

const times = <T>(count: number, value: T) => Array.from({ length: count }, () => value);

const policy = {
  isInForce: true,
  fault: null,
  tiers: ["cgroup"],
  missing: [{ tier: "lsm", reason: "EPERM" }],
  programs: "0a".repeat(32),
  verifiedAt: null,
};
const event = {
  sequence: 1,
  at: 0,
  unit: "worker",
  hook: "connect4",
  protocol: "tcp",
  address: "192.0.2.1",
  port: 443,
};
const egress = { policy, countingSince: 0, counts: [], days: [], events: [], latest: 0 };
const counted = { unit: "worker", attempts: 3, logged: 2, lost: 1 };
const day = { day: "2026-11-30", attempts: 0 };

test.each([
  [{}, true],
  [{ isInForce: false, fault: "f".repeat(300) }, true],
  [{ fault: "f".repeat(301) }, false],
  [{ tiers: ["cgroup", "unix", "lsm"], missing: [] }, true],
  [{ tiers: ["xdp"] }, false],
  [{ missing: times(4, policy.missing[0]) }, false],
  [{ missing: [{ tier: "lsm", reason: "r".repeat(101) }] }, false],
  [{ programs: "" }, false],
  [{ verifiedAt: 1 }, true],
  [{ unknown: 1 }, false],
])("a policy with %j: %s", (change, isTaken) => {
  expect(policyStateSchema.safeParse({ ...policy, ...change }).success).toBe(isTaken);
});

test.each([
  [{}, true],
  [{ sequence: 0 }, false],
  [{ unit: "unknown", address: "", port: 0, protocol: "132" }, true],
  [{ unit: "shell" }, false],
  [{ hook: "h".repeat(32) }, true],
  [{ hook: "h".repeat(33) }, false],
  [{ hook: "connect4\u001b" }, false],
  [{ protocol: "TCP" }, false],
  [{ address: "2001:db8::1" }, true],
  [{ address: "models.test" }, false],
  [{ port: 65_535 }, true],
  [{ port: 65_536 }, false],
  [{ comm: "node" }, false],
])("an attempt with %j: %s", (change, isTaken) => {
  expect(egressEventSchema.safeParse({ ...event, ...change }).success).toBe(isTaken);
});

describe("an answer", () => {
  test.each([
    ["without a warden", { policy: null }, true],
    ["with every unit once", { counts: times(egressUnits.length, counted) }, true],
    ["with a count too many", { counts: times(egressUnits.length + 1, counted) }, false],
    ["with 30 days", { days: times(30, day) }, true],
    ["with 31 days", { days: times(31, day) }, false],
    ["with a day of another form", { days: [{ day: "30.11.2026", attempts: 0 }] }, false],
    ["with 200 attempts", { events: times(200, event) }, true],
    ["with 201 attempts", { events: times(201, event) }, false],
    ["with a negative sequence", { latest: -1 }, false],
  ])("%s", (_name, change, isTaken) => {
    expect(egressSchema.safeParse({ ...egress, ...change }).success).toBe(isTaken);
  });
});
