/**
 * The wipe grade of a node, from what was found.
 *
 *   A  the kernel cleans what is freed, nothing of the machine could keep a page, and cells see each task's end
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
 * What was seen of a task's memory at its end:
 *
 *   overwritten  its cell overwrote all of it
 *   freed        all of its processes are gone, and so the kernel has it
 *   unseen       neither: its worker may still live, whatever it says itself, or its cell could not reach all of it, which may
 *                be elsewhere
 */
export type SeenEnd = "overwritten" | "freed" | "unseen";

/**
 * The grade of one task that is over.
 *
 * @param machine as it was when the task began and when it ended; one look alone could miss a swap device
 */
export function gradeOfTask(machine: readonly HostFindings[], seen: SeenEnd): WipeGrade {
  if (seen === "unseen") return "C";
  if (machine.every((findings) => firstBad(findings) === null)) return "A";
  return seen === "overwritten" ? "B" : "C";
}

function gradeOf(findings: Findings): Pick<Doctor, "grade" | "heldBy"> {
  // Having one comes before all else: without it nobody sees a task's end, and it needs no reboot.
  if (!findings.cell.isGood) return { grade: "C", heldBy: "cell" };
  const heldBy = firstBad(findings);
  return { grade: heldBy === null ? "A" : "B", heldBy };
}

/** What was not read is not good. */
function firstBad(findings: HostFindings): (typeof wipeChecks)[number] | null {
  return wipeChecks.find((check) => !findings[check].isGood) ?? null;
}
