/**
 * The table: a line per row of the matrix, its units together where they agree; and the closing line.
 *
 * @module
 */
import type { Outcome } from "./cell.ts";
import type { Row } from "./rows.ts";
import { controlVerdict, type Verdict } from "./verdict.ts";

/** Something that was tried beside the matrix: a flood, a crash, a fault. */
export interface Trial {
  readonly id: string;
  readonly attempt: string;
  readonly isBlocked: boolean;
  readonly detail: string;
}

/** A trial that cannot be finished has failed; the others go on. */
export async function finished(name: string, trial: () => Promise<Trial>): Promise<Trial> {
  try {
    return await trial();
  } catch (error) {
    const [detail = ""] = (error as Error).message.split("\n");
    return { id: "?", attempt: name, isBlocked: false, detail };
  }
}

export interface Results {
  readonly controls: readonly Outcome[];
  readonly verdicts: readonly Verdict[];
  readonly trials: readonly Trial[];
  /** Frames that no cell and no link accounts for. */
  readonly strays: readonly string[];
  /** Frames that the sniffer could not hold. */
  readonly missedFrames: number;
  /** Units whose counts do not add up. */
  readonly miscounts: readonly string[];
}

export function tableOf(rows: readonly Row[], verdicts: readonly Verdict[]): string[] {
  return rows.flatMap((row) => {
    const ofRow = verdicts.filter((verdict) => verdict.row.id === row.id);
    const groups = Map.groupBy(ofRow, ({ expected, seen, stoppedBy }) =>
      [expected === seen ? seen : `${seen.toUpperCase()} (expected ${expected})`, stoppedBy].join(
        "\0",
      ),
    );
    return [...groups].map(([key, members], index) => {
      const [seen, stoppedBy] = key.split("\0") as [string, string];
      const isAll = members.length === ofRow.length;
      const units = isAll ? "every unit" : members.map(({ unit }) => unit).join(" ");
      return [
        (index === 0 ? row.id : "").padEnd(5),
        (index === 0 ? row.attempt : "").padEnd(50),
        seen.padEnd(20),
        `${units}${stoppedBy === "" ? "" : `: ${stoppedBy}`}`,
      ].join(" ");
    });
  });
}

/** @returns a line for each reason why the run does not count as a success */
export function failuresOf(results: Results): string[] {
  return [
    ...results.controls
      .filter((outcome) => controlVerdict(outcome) === "worthless")
      .map(
        ({ cell, report }) =>
          `${cell.row.id}: control did not leak (${report.step} ${report.error}), so its verdicts are worthless`,
      ),
    ...results.verdicts
      .filter(({ expected, seen }) => expected !== seen)
      .map(
        ({ row, unit, expected, seen, frames }) =>
          `${row.id}, ${unit}: ${seen}, expected ${expected} (${frames} frames)`,
      ),
    ...results.trials
      .filter(({ isBlocked }) => !isBlocked)
      .map(({ id, detail }) => `${id}: ${detail}`),
    ...results.strays.map((frame) => `a frame that nobody accounts for: ${frame.slice(0, 120)}`),
    ...results.miscounts.map((text) => `counts do not add up: ${text}`),
    ...(results.missedFrames > 0 ? [`the sniffer missed ${results.missedFrames} frames`] : []),
  ];
}

export function closingLine({ verdicts, trials, strays }: Results): string {
  const count = (seen: Verdict["seen"]): number =>
    verdicts.filter((verdict) => verdict.seen === seen).length;
  const blocked = count("blocked") + trials.filter(({ isBlocked }) => isBlocked).length;
  const passed =
    count("passed") + trials.filter(({ isBlocked }) => !isBlocked).length + strays.length;
  const logged = verdicts.filter(({ isLogged }) => isLogged).length;
  return `${blocked} blocked, ${passed} passed, ${count("open on this kernel")} open on this kernel, ${logged} logged`;
}

export function jsonRows({ controls, verdicts, trials }: Results): string[] {
  return [
    ...controls.map((outcome) => ({
      row: outcome.cell.row.id,
      attempt: outcome.cell.row.attempt,
      unit: "control",
      seen: controlVerdict(outcome),
      frames: outcome.frames,
    })),
    ...verdicts.map(({ row, ...verdict }) => ({ row: row.id, attempt: row.attempt, ...verdict })),
    ...trials.map(({ id, attempt, isBlocked, detail }) => ({
      row: id,
      attempt,
      seen: isBlocked ? "blocked" : "passed",
      detail,
    })),
  ].map((row) => JSON.stringify(row));
}
