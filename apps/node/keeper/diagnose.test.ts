/** What a running node says of itself: the doctor's report, the cells, the policy. */
import { join } from "node:path";
import { doctorSchema, hostChecks, type PolicyState } from "@phantoma/protocol";
import { expect, test } from "vitest";
import { hostFindings } from "../doctor/host-findings.ts";
import { MAX_REPORT_AGE_MS, writeHostReport } from "../doctor/host-report.ts";
import { TestHost } from "../doctor/test-host.ts";
import { temporaryDir } from "../test-node.ts";
import { diagnose } from "./diagnose.ts";

const NOW = 5_000_000;
const policy: PolicyState = {
  isInForce: true,
  fault: null,
  tiers: ["cgroup", "unix"],
  missing: [{ tier: "lsm", reason: "EPERM" }],
  programs: "00".repeat(32),
  verifiedAt: 1,
};

function reported(): string {
  const path = join(temporaryDir(), "host.json");
  writeHostReport(path, { readAt: NOW, findings: hostFindings(new TestHost().files) });
  return path;
}

test("a node with a fresh report of a good machine has grade A", () => {
  const doctor = diagnose({ hasCells: true, hostReportPath: reported() }, policy, NOW);
  expect(doctor).toMatchObject({ grade: "A", heldBy: null, readAt: NOW });
  expect(doctor.findings.policy).toEqual({ isGood: true, detail: "cgroup, unix, without lsm" });
});

test("an old report, or none, is no report: B with cells, C without, and it is said why", () => {
  const around = { hasCells: true, hostReportPath: reported() };
  const late = diagnose(around, policy, NOW + MAX_REPORT_AGE_MS + 1);
  expect(late).toMatchObject({ grade: "B", heldBy: "freedMemory", readAt: null });
  for (const check of hostChecks) expect(late.findings[check].isGood).toBeNull();
  expect(late.findings.swap.detail).toBe("the doctor's report is not of now");
  const none = diagnose({ hasCells: false, hostReportPath: "/none/host.json" }, policy, NOW);
  expect(none).toMatchObject({ grade: "C", heldBy: "cell", readAt: null });
  expect(none.findings.swap.detail).toBe("no /none/host.json");
});

test("without a report to read, as in demo mode, the keeper looks at the machine itself", () => {
  const doctor = diagnose({ hasCells: true }, null, NOW);
  expect(doctor.readAt).toBe(NOW);
  expect(doctorSchema.parse(doctor)).toEqual(doctor);
});

test("a policy that is broken, or none, is no good finding", () => {
  const said = (state: PolicyState | null) => diagnose({ hasCells: true }, state, NOW).findings;
  expect(said(null).policy).toEqual({ isGood: false, detail: "none on this node" });
  const broken = { ...policy, isInForce: false, fault: "the program egress is gone" };
  expect(said(broken).policy).toEqual({ isGood: false, detail: "the program egress is gone" });
});
