/** The report between two processes: its form, its age, and whoever reads it while it is written. */
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hostChecks } from "@phantoma/protocol";
import { expect, test } from "vitest";
import { temporaryDir } from "../test-node.ts";
import { Unreadable } from "./host-files.ts";
import { hostFindings } from "./host-findings.ts";
import { MAX_REPORT_AGE_MS, noFindings, readHostReport, writeHostReport } from "./host-report.ts";
import { TestHost } from "./test-host.ts";

const NOW = 1_000_000_000;

function written(change: object = {}): string {
  const path = join(temporaryDir(), "host.json");
  const findings = hostFindings(new TestHost().files);
  writeHostReport(path, { readAt: NOW, findings, ...change });
  return path;
}

test("a report is read as it was written, and nothing else is left in the folder", () => {
  const path = written();
  expect(readHostReport(path, NOW).findings.swap).toEqual({ isGood: true, detail: null });
  expect(readdirSync(join(path, ".."))).toEqual(["host.json"]);
});

test.each([
  [MAX_REPORT_AGE_MS, true],
  [MAX_REPORT_AGE_MS + 1, false],
  [-10_000, true],
  [-10_001, false],
])("a report is good for %i ms: %s", (ageMs, isTaken) => {
  const read = () => readHostReport(written(), NOW + ageMs);
  if (isTaken) expect(read().readAt).toBe(NOW);
  else expect(read).toThrow(Unreadable);
});

test.each([{ findings: {} }, { readAt: -1 }, { grade: "A" }])("with %j it is none", (change) => {
  expect(() => readHostReport(written(change), NOW)).toThrow("was not understood");
});

test("a report that is no JSON, or is not there, is none", () => {
  const path = join(temporaryDir(), "host.json");
  expect(() => readHostReport(path, NOW)).toThrow(Unreadable);
  writeFileSync(path, '{"readAt":');
  expect(() => readHostReport(path, NOW)).toThrow("was not understood");
});

test("in its place every finding is unread, and says why", () => {
  const findings = noFindings("no report");
  for (const check of hostChecks)
    expect(findings[check]).toEqual({ isGood: null, detail: "no report" });
});
