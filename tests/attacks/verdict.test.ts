import { expect, test } from "vitest";
import { readReport, type Mode, type Outcome } from "./cell.ts";
import { rows, type Row } from "./rows.ts";
import { appliesTo, controlVerdict, expectedVerdict, judge, type Place } from "./verdict.ts";

const CGROUP = ["cgroup"];
const place: Place = { tiers: CGROUP, absentRows: new Set(), lost: 0, hasNetwork: true };

test("no two rows share an id", () => {
  expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
});

test("a row that needs LSM is open without it and blocked with it", () => {
  expect(expectedVerdict(row("18"), CGROUP, false)).toBe("open on this kernel");
  expect(expectedVerdict(row("18"), ["cgroup", "lsm"], false)).toBe("blocked");
});

test("a unix row needs the hooks for unix sockets or LSM", () => {
  expect(expectedVerdict(row("20a"), CGROUP, false)).toBe("open on this kernel");
  expect(expectedVerdict(row("20a"), ["cgroup", "unix"], false)).toBe("blocked");
  expect(expectedVerdict(row("20a"), ["cgroup", "lsm"], false)).toBe("blocked");
});

test("root that leaves its cgroup is never claimed, whatever was seen", () => {
  const verdict = judge(row("26"), "worker", [outcome("26", "sandbox", { frames: 1 })], place);
  expect(verdict.seen).toBe("not claimed");
});

test("an open row is never counted as blocked, even when the sandbox stopped it", () => {
  const cells = [
    outcome("19", "policy", { frames: 1 }),
    outcome("19", "sandbox", { error: "EPERM" }),
  ];
  expect(judge(row("19"), "worker", cells, place).seen).toBe("open on this kernel");
});

test("one frame where none was expected has passed, in whichever way it left", () => {
  for (const mode of ["policy", "sandbox"] as const) {
    const cells = [
      outcome("3a", "policy", {
        error: "EPERM",
        hooks: ["sendmsg4"],
        frames: Number(mode === "policy"),
      }),
      outcome("3a", "sandbox", {
        error: "EPERM",
        hooks: ["sendmsg4"],
        frames: Number(mode === "sandbox"),
      }),
    ];
    expect(judge(row("3a"), "worker", cells, place).seen).toBe("passed");
  }
});

test("an attempt that a hook refused must be in the log, or counted as lost", () => {
  const cells = [outcome("3a", "policy", { error: "EPERM" })];
  expect(judge(row("3a"), "worker", cells, place).seen).toBe("not logged");
  expect(judge(row("3a"), "worker", cells, { ...place, lost: 1 }).seen).toBe("blocked");
});

test("an attempt that the sandbox ended before any hook needs no log of its own", () => {
  const policy = outcome("13", "policy", {
    step: "uring-connect",
    error: "EPERM",
    hooks: ["connect4"],
  });
  const early = outcome("13", "sandbox", { step: "io_uring_setup", error: "EPERM" });
  const late = outcome("13", "sandbox", { step: "uring-connect", error: "EPERM" });
  expect(judge(row("13"), "worker", [policy, early], place).seen).toBe("blocked");
  expect(judge(row("13"), "worker", [policy, late], place).seen).toBe("not logged");
});

test("a gateway's own work must pass", () => {
  expect(judge(row("15c"), "gateway", [outcome("15c", "policy", { frames: 3 })], place).seen).toBe(
    "permitted",
  );
  expect(judge(row("15c"), "gateway", [outcome("15c", "policy", {})], place).seen).toBe(
    "work refused",
  );
  expect(appliesTo(row("15c"), "worker", "policy", true)).toBe(false);
});

test("a cell without an answer is no blocked attempt", () => {
  expect(judge(row("1a"), "worker", [outcome("1a", "policy", { step: "none" })], place).seen).toBe(
    "no result",
  );
  expect(judge(row("1a"), "worker", [], place).seen).toBe("no result");
});

test("a control that does not leak is worthless, unless this kernel has nothing of the kind", () => {
  expect(controlVerdict(outcome("1a", "control", { frames: 2 }))).toBe("leaks");
  expect(controlVerdict(outcome("1a", "control", {}))).toBe("worthless");
  expect(controlVerdict(outcome("1a", "control", { error: "EPROTONOSUPPORT" }))).toBe("worthless");
  expect(controlVerdict(outcome("8a", "control", { error: "EPROTONOSUPPORT" }))).toBe("absent");
  expect(controlVerdict(outcome("29a", "control", {}))).toBe("leaks");
});

test("a report's line is read whole or not at all", () => {
  expect(readReport("1a 7 connect 1 99")).toEqual({
    number: 7,
    report: { step: "connect", error: "EPERM", pid: 99 },
  });
  expect(readReport("1a 7 sent 0 99")?.report.error).toBe("");
  expect(readReport("1a 7 connect 1")).toBeUndefined();
  expect(readReport("1a x connect 1 99")).toBeUndefined();
});

function row(id: string): Row {
  return rows.find((row) => row.id === id)!;
}

function outcome(
  id: string,
  mode: Mode,
  seen: { step?: string; error?: string; frames?: number; hooks?: string[] },
): Outcome {
  return {
    cell: { number: 1, row: row(id), unit: "worker", mode, canary: "00" },
    report: { step: seen.step ?? "sendto", error: seen.error ?? "", pid: 1 },
    frames: seen.frames ?? 0,
    hooks: new Set(seen.hooks),
  };
}
