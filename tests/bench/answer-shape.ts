/**
 * What an observer can compute from one answer without reading it: the features of the classifier.
 *
 * The list follows Whisper Leak (arXiv 2511.03675): sizes, and the times between them.
 *
 * @module
 */
import { DEFAULT_TICK_MS } from "@phantoma/protocol";
import type { SeenAnswer } from "./observer.ts";
import { mean, quantile, share, standardDeviation } from "./statistics.ts";

/** Upper edges of the size histogram, in bytes; dense where single words lie. */
const SIZE_EDGES = [39, 40, 41, 42, 43, 44, 45, 46, 48, 52, 60, 80, 160, 320, Infinity];
const CURVE_POINTS = 8;
/** Records at the start of which each one's place on the tick is looked at. */
const JITTER_RECORDS = 40;
const JITTER_GROUPS = 8;

/** Always as many numbers, whatever the answer. */
export function shapeOf({ askedAt, records }: SeenAnswer): number[] {
  if (records.length < 2) throw new Error("an answer of less than two records");
  const sizes = records.map(({ bytes }) => bytes);
  const times = records.map(({ at }) => at - askedAt);
  const gaps = times.slice(1).map((time, index) => time - times[index]!);
  return [
    records.length,
    sizes.reduce((sum, bytes) => sum + bytes, 0),
    mean(sizes),
    standardDeviation(sizes),
    ...histogram(sizes),
    times[0]!,
    times.at(-1)!,
    mean(gaps),
    standardDeviation(gaps),
    ...[0, 0.1, 0.25, 0.5, 0.75, 0.9, 1].map((point) => quantile(gaps, point)),
    ...curve(times, sizes),
    ...jitter(times),
  ];
}

function histogram(sizes: readonly number[]): number[] {
  return SIZE_EDGES.map((edge, index) => {
    const from = SIZE_EDGES[index - 1] ?? 0;
    return share(sizes, (bytes) => bytes > from && bytes <= edge);
  });
}

/** When an eighth, two eighths … of all bytes had passed. */
function curve(times: readonly number[], sizes: readonly number[]): number[] {
  const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
  return Array.from({ length: CURVE_POINTS }, (_, point) => {
    let passed = 0;
    const wanted = (total * (point + 1)) / (CURVE_POINTS + 1);
    return times[sizes.findIndex((bytes) => (passed += bytes) >= wanted)]!;
  });
}

/** How far records are from the tick, group by group: a busy worker could show here. */
function jitter(times: readonly number[]): number[] {
  const size = JITTER_RECORDS / JITTER_GROUPS;
  return Array.from({ length: JITTER_GROUPS }, (_, group) => {
    const gaps: number[] = [];
    for (
      let index = group * size + 1;
      index <= (group + 1) * size && index < times.length;
      index += 1
    )
      gaps.push(Math.abs(times[index]! - times[index - 1]! - DEFAULT_TICK_MS));
    return gaps.length === 0 ? 0 : mean(gaps);
  });
}
