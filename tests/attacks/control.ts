/**
 * The control: every row outside every policy, where it must leak. A row that does not proves nothing elsewhere.
 *
 * @module
 */
import type { Cells, Outcome } from "./cell.ts";
import type { Row } from "./rows.ts";
import type { Stage } from "./stage.ts";

/** @param pins of the running policy: root must be able to open what everybody else is refused */
export async function runControl(
  stage: Stage,
  cells: Cells,
  rows: readonly Row[],
  { pins, wardenPid }: { pins: string; wardenPid: number },
): Promise<Outcome[]> {
  const cgroup = stage.makeCgroup(`phantoma-control-${stage.id}`);
  const wanted = rows.map((row) => cells.make(row, "control", "control"));
  return await stage.try(wanted, { unit: "control", cgroup, pins, wardenPid });
}
