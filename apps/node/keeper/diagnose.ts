/**
 * The doctor's answer of a running node: what was found out about the machine, beside what the keeper knows.
 *
 * @module
 */
import type { Doctor, Finding, HostFindings, PolicyState } from "@phantoma/protocol";
import { bad, good } from "../doctor/finding.ts";
import { diagnosis } from "../doctor/grade.ts";
import { HostFiles, Unreadable } from "../doctor/host-files.ts";
import { hostFindings } from "../doctor/host-findings.ts";
import { noFindings, readHostReport, type HostReport } from "../doctor/host-report.ts";

export interface Surroundings {
  /** Whether workers run in cells, which overwrite their memory. */
  readonly hasCells: boolean;
  /** Where the doctor's unit writes its report; absent in demo mode, where the keeper looks for itself. */
  readonly hostReportPath?: string;
}

/** @param policy `null` where the node has no warden */
export function diagnose(around: Surroundings, policy: PolicyState | null, now: number): Doctor {
  const { readAt, findings } = hostReport(around.hostReportPath, now);
  const cell = around.hasCells ? good() : bad();
  return diagnosis({ cell, ...findings, policy: policyFinding(policy) }, readAt);
}

/** The machine as it was last looked at; whatever nobody could look at is not good. */
export function machine(around: Surroundings, now: number): HostFindings {
  return hostReport(around.hostReportPath, now).findings;
}

function hostReport(path: string | undefined, now: number): HostReport | NoReport {
  try {
    return path === undefined
      ? { readAt: now, findings: hostFindings(new HostFiles()) }
      : readHostReport(path, now);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { readAt: null, findings: noFindings(error.message) };
  }
}

interface NoReport {
  readonly readAt: null;
  readonly findings: HostFindings;
}

function policyFinding(policy: PolicyState | null): Finding {
  if (policy === null) return bad("none on this node");
  if (!policy.isInForce) return bad(policy.fault ?? undefined);
  const missing = policy.missing.map(({ tier }) => `without ${tier}`);
  return good([...policy.tiers, ...missing].join(", "));
}
