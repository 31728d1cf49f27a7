/**
 * The wipe grade of a node, from what was found.
 *
 *   A  the kernel cleans what is freed, and nothing of the machine could keep a page
 *   B  workers have cells, which overwrite what is there at the end
 *   C  neither
 *
 * @module
 */
import { wipeChecks, type Doctor } from "@phantoma/protocol";

type Findings = Doctor["findings"];

export function diagnosis(findings: Findings, readAt: number | null): Doctor {
  return { ...gradeOf(findings), readAt, findings };
}

/** What was not read is not good. */
function gradeOf(findings: Findings): Pick<Doctor, "grade" | "heldBy"> {
  const heldBy = wipeChecks.find((check) => !findings[check].isGood) ?? null;
  if (heldBy === null) return { grade: "A", heldBy };
  // Without a cell, having one comes before all else: it needs no reboot.
  return findings.cell.isGood ? { grade: "B", heldBy } : { grade: "C", heldBy: "cell" };
}
