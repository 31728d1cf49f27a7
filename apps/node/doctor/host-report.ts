/**
 * The findings about the machine as one process writes them and the keeper reads them: the keeper's sandbox
 * shows it nothing of the machine, and that shall stay so.
 *
 * @module
 */
import { renameSync, writeFileSync } from "node:fs";
import { hostChecks, hostFindingsSchema, type HostFindings } from "@phantoma/protocol";
import { z } from "zod";
import { notRead } from "./finding.ts";
import { HostFiles, Unreadable } from "./host-files.ts";

/** Three turns of the timer that writes it, in milliseconds; what is older may no longer be true. */
export const MAX_REPORT_AGE_MS = 180_000;
/** A clock that was set back a little, in milliseconds; a report from further ahead is not believed. */
const MAX_AHEAD_MS = 10_000;

const hostReportSchema = z.strictObject({
  readAt: z.int().nonnegative(),
  findings: hostFindingsSchema,
});

export type HostReport = z.infer<typeof hostReportSchema>;

/** Whoever reads meanwhile finds the one before or this one, whole. */
export function writeHostReport(path: string, report: HostReport): void {
  const next = `${path}.next`;
  writeFileSync(next, JSON.stringify(report), { mode: 0o644 });
  renameSync(next, path);
}

/** @throws {@link Unreadable} */
export function readHostReport(path: string, now: number): HostReport {
  const untrusted = new HostFiles().read(path);
  const report = hostReportSchema.safeParse(parse(untrusted));
  if (!report.success) throw new Unreadable("the doctor's report was not understood");
  const ageMs = now - report.data.readAt;
  if (ageMs > MAX_REPORT_AGE_MS || ageMs < -MAX_AHEAD_MS)
    throw new Unreadable("the doctor's report is not of now");
  return report.data;
}

/** In the place of a report that could not be read. */
export function noFindings(why: string): HostFindings {
  return hostFindingsSchema.parse(
    Object.fromEntries(hostChecks.map((check) => [check, notRead(why)])),
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
