/**
 * The whole run against one node: control, every row from every unit in both ways, the trials; then the verdicts.
 *
 * @module
 */
import type { Outcome } from "./cell.ts";
import { runControl } from "./control.ts";
import { assignEvents, countFrames } from "./matrix.ts";
import type { NodeUnderAttack, Say } from "./node.ts";
import type { Results, Trial } from "./report.ts";
import { rows, type Row } from "./rows.ts";
import { appliesTo, controlVerdict, judge } from "./verdict.ts";

export type Trials = readonly ((node: NodeUnderAttack, say: Say) => Promise<Trial[]>)[];

export interface Wanted {
  readonly rows: readonly Row[];
  readonly units: readonly string[];
  /** What is tried beside the matrix, in order. */
  readonly trials: Trials;
}

/** @param only `matrix`, `trials`, a row, or nothing for everything */
export function wantedOf(
  only: string | undefined,
  trials: Trials,
): { readonly rows: readonly Row[]; readonly trials: Trials } {
  if (only === undefined) return { rows, trials };
  if (only === "trials") return { rows: [], trials };
  return { rows: rows.filter(({ id }) => only === "matrix" || id === only), trials: [] };
}

export async function runAll(
  node: NodeUnderAttack,
  { rows, units, trials: wantedTrials }: Wanted,
  say: Say,
): Promise<Results> {
  const { stage, warden, cells, networkUnits, isSystemd } = node;
  say("control, outside every policy …");
  const pins = warden.paths.pins;
  const controls = await runControl(stage, cells, rows, { pins, wardenPid: warden.pid });
  const outcomes: Outcome[] = [];
  for (const unit of units) {
    const made = (mode: "policy" | "sandbox") =>
      rows
        .filter((row) => appliesTo(row, unit, mode, isSystemd))
        .map((row) => cells.make(row, unit, mode));
    say(`${unit}, with the policy alone …`);
    node.prepare(unit);
    outcomes.push(...(await stage.try(made("policy"), node.place(unit))));
    const inside = made("sandbox");
    if (inside.length > 0) {
      say(`${unit}, in its sandbox …`);
      outcomes.push(...(await node.trySandbox(unit, inside)));
    }
  }
  await stage.settle();
  await warden.settle();
  const { tiers, missing, counts } = warden.status();
  for (const { tier, reason } of missing) say(`without the tier ${tier}: ${reason}`);
  assignEvents(outcomes, warden.events);
  const trials: Trial[] = [];
  for (const trial of wantedTrials) trials.push(...(await trial(node, say)));
  await stage.settle();
  const missedFrames = await stage.closeSniffer();
  const strays = countFrames([...controls, ...outcomes], stage.frames, cells.byCanary);
  const absentRows = new Set(
    controls
      .filter((control) => controlVerdict(control) === "absent")
      .map(({ cell }) => cell.row.id),
  );
  const verdicts = units.flatMap((unit) =>
    rows
      .map((row) => [row, ofRow(outcomes, row, unit)] as const)
      .filter(([, ofRow]) => ofRow.length > 0)
      .map(([row, ofRow]) =>
        judge(row, unit, ofRow, {
          tiers,
          absentRows,
          lost: counts.find((count) => count.unit === unit)?.lost ?? 0,
          hasNetwork: networkUnits.has(unit),
        }),
      ),
  );
  const miscounts = [...counts, ...warden.status().counts]
    .filter(({ attempts, logged, lost }) => attempts !== logged + lost)
    .map((count) => JSON.stringify(count));
  return { controls, verdicts, trials, strays, missedFrames, miscounts };
}

function ofRow(outcomes: readonly Outcome[], row: Row, unit: string): Outcome[] {
  return outcomes.filter(({ cell }) => cell.row.id === row.id && cell.unit === unit);
}
