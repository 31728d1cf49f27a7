/**
 * The wipe grade of a node, from what was found.
 *
 *   A  the kernel cleans what is freed, and nothing of the machine could keep a page
 *   B  workers have cells, which overwrite what is there at the end
 *   C  neither
 *
 * @module
 */
import { wipeChecks, type Doctor, type HostFindings, type WipeGrade } from "@phantoma/protocol";

type Findings = Doctor["findings"];

export function diagnosis(findings: Findings, readAt: number | null): Doctor {
  return { ...gradeOf(findings), readAt, findings };
}

/**
 * The grade of one task that is over.
 *
 * @param machine as it was when the task began and when it ended; one look alone could miss a swap device
 * @param isOverwritten by the task's own cell, in whole
 */
export function gradeOfTask(machine: readonly HostFindings[], isOverwritten: boolean): WipeGrade {
  if (machine.every((findings) => firstBad(findings) === null)) return "A";
  return isOverwritten ? "B" : "C";
}

function gradeOf(findings: Findings): Pick<Doctor, "grade" | "heldBy"> {
  const heldBy = firstBad(findings);
  if (heldBy === null) return { grade: "A", heldBy };
  // Without a cell, having one comes before all else: it needs no reboot.
  return findings.cell.isGood ? { grade: "B", heldBy } : { grade: "C", heldBy: "cell" };
}

/** What was not read is not good. */
function firstBad(findings: HostFindings): (typeof wipeChecks)[number] | null {
  return wipeChecks.find((check) => !findings[check].isGood) ?? null;
}
