/** The grade: what each finding does to it, and that nothing unread is good. */
import {
  doctorChecks,
  doctorLines,
  doctorSchema,
  isHealthy,
  wipeChecks,
  type Doctor,
  type DoctorCheck,
} from "@phantoma/protocol";
import { describe, expect, test } from "vitest";
import { bad, good, notRead } from "./finding.ts";
import { diagnosis, gradeOfTask } from "./grade.ts";
import { hostFindings } from "./host-findings.ts";
import { TestHost } from "./test-host.ts";

type Findings = Doctor["findings"];

function findings(change: Partial<Findings> = {}): Findings {
  const all = Object.fromEntries(doctorChecks.map((check) => [check, good()])) as Findings;
  return { ...all, ...change };
}
const graded = (change: Partial<Findings>) => diagnosis(findings(change), 1);

test("a server on which nothing is left to do has grade A", () => {
  const host = hostFindings(new TestHost().files);
  const doctor = diagnosis({ cell: good(), ...host, policy: good() }, 1);
  expect(doctor).toMatchObject({ grade: "A", heldBy: null });
  expect(isHealthy(doctor)).toBe(true);
  expect(doctorSchema.parse(doctor)).toEqual(doctor);
});

describe.each(wipeChecks)("where %s is not good", (check) => {
  test.each([bad(), notRead("no permission")])(
    "the grade is B with a cell, C without (%j)",
    (found) => {
      expect(graded({ [check]: found })).toMatchObject({ grade: "B", heldBy: check });
      expect(graded({ [check]: found, cell: bad() })).toMatchObject({ grade: "C", heldBy: "cell" });
      expect(graded({ [check]: found, cell: notRead("x") })).toMatchObject({ grade: "C" });
    },
  );
});

test("without a cell nobody sees a task's end: C, also where the kernel cleans what is freed", () => {
  for (const cell of [bad(), notRead("x")])
    expect(graded({ cell })).toMatchObject({ grade: "C", heldBy: "cell" });
});

test("a task has grade A where nothing could keep a page as it began and as it ended", () => {
  expect(gradeOfTask([findings(), findings()], "overwritten")).toBe("A");
  // The kernel cleaned what its worker had.
  expect(gradeOfTask([findings(), findings()], "freed")).toBe("A");
});

test.each(wipeChecks)(
  "a task during which %s was not good had B with its cell, C without",
  (check) => {
    for (const found of [bad(), notRead("x")]) {
      const worse = findings({ [check]: found });
      for (const machine of [
        [worse, findings()],
        [findings(), worse],
        [worse, worse],
      ]) {
        expect(gradeOfTask(machine, "overwritten")).toBe("B");
        expect(gradeOfTask(machine, "freed")).toBe("C");
      }
    }
  },
);

test("a task whose end nobody saw has C, however good the machine: its worker may still be there", () => {
  expect(gradeOfTask([findings(), findings()], "unseen")).toBe("C");
});

test.each(["policy", "kernelUpdate", "sshPasswords", "logs"] as const)(
  "%s leaves the grade, and the node is not healthy",
  (check) => {
    for (const found of [bad(), notRead("x")]) {
      expect(graded({ [check]: found }).grade).toBe("A");
      expect(isHealthy(graded({ [check]: found }))).toBe(false);
    }
  },
);

test("the terminal says wiped at A only", () => {
  const first = (change: Partial<Findings>) => doctorLines(graded(change))[0];
  expect(first({})).toBe("wipe grade   A: the memory of a task is wiped");
  expect(first({ swap: bad() })).toMatch(/^wipe grade {3}B: .* overwritten, residue possible$/);
  expect(first({ swap: bad(), cell: bad() })).toMatch(/^wipe grade {3}C: .* not wiped$/);
});

test("each finding that is not good has a consequence and one step", () => {
  const change = Object.fromEntries(doctorChecks.map((check) => [check, bad("seen")]));
  const lines = doctorLines(graded(change));
  const count = (text: string) => lines.filter((line) => line.includes(text)).length;
  expect(count("why it matters: ")).toBe(doctorChecks.length);
  expect(count("what to do: ")).toBe(doctorChecks.length);
  expect(lines.slice(0, 3).join("\n")).toContain("make -C apps/node/cell");
});

test("a finding that could not be read says so, and sends a person to the node", () => {
  const lines = doctorLines(graded({ ["swap" satisfies DoctorCheck]: notRead("no /proc/swaps") }));
  expect(lines.join("\n")).toMatch(/\? swap +could not be read \(no \/proc\/swaps\)/);
  expect(lines.join("\n")).toContain(
    "look on the node itself; where it is not good, run swapoff -a",
  );
});
