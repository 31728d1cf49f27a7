/**
 * What a benchmark says: rows with a figure, what it is compared with, and whether its budget holds.
 *
 * @module
 */
import type { NodeUnderTest } from "../node-under-test.ts";

export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The same thing without Phantoma, measured in the same run. */
  readonly baseline: number | null;
  readonly ratio: number | null;
  /** In words; `null` where nothing is promised. */
  readonly budget: string | null;
  readonly holds: boolean | null;
  /** Every raw sample, by series, in the order measured. */
  readonly samples: Readonly<Record<string, readonly number[]>>;
}

export interface Benchmark {
  readonly name: string;
  run(setting: Setting): AsyncGenerator<Row, void, undefined>;
}

export interface Setting {
  /** Fewer samples: everything together ends within 45 s on a quiet machine with two cores. */
  readonly isQuick: boolean;
  /** A stranger's model, measured in place of ours where the content of answers does not matter. */
  readonly strangerPath: string | undefined;
  /** The node that the benchmarks share, as shipped; it offers tiny, echo and the stranger's model. */
  readonly standing: () => Promise<NodeUnderTest>;
}

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly baseline?: number;
  readonly ratio?: number;
  readonly budget?: string;
  readonly holds?: boolean;
  readonly samples?: Row["samples"];
}

/** Fills in what a figure leaves out; the ratio is to the baseline where there is one. */
export function row(figure: Figure): Row {
  const { baseline = null, budget = null, holds = null, samples = {}, ...rest } = figure;
  const ratio = figure.ratio ?? (baseline === null ? null : figure.value / baseline);
  return { ...rest, baseline, ratio, budget, holds, samples };
}

const COLUMNS = [
  { title: "", width: 58, isText: true },
  { title: "value", width: 17, isText: false },
  { title: "baseline", width: 9, isText: false },
  { title: "ratio", width: 7, isText: false },
  { title: "budget", width: 26, isText: true },
] as const;

export function tableHead(): string {
  return `       ${COLUMNS.map(({ title, width, isText }) => pad(title, width, isText)).join("  ")}`;
}

export function tableLine({ name, value, unit, baseline, ratio, budget, holds }: Row): string {
  const mark = holds === null ? "  .   " : holds ? "  ok  " : " MISS ";
  const cells = [
    name,
    `${figure(value)} ${unit}`,
    baseline === null ? "" : figure(baseline),
    ratio === null ? "" : figure(ratio),
    budget ?? "",
  ];
  const padded = COLUMNS.map(({ width, isText }, index) => pad(cells[index]!, width, isText));
  return `${mark} ${padded.join("  ")}`.trimEnd();
}

/** Three digits that count. */
function figure(value: number): string {
  if (!Number.isFinite(value)) return "none";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)));
  return value.toFixed(Math.min(digits, 3));
}

function pad(text: string, width: number, isText: boolean): string {
  return isText ? text.padEnd(width) : text.padStart(width);
}
