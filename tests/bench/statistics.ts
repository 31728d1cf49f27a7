/**
 * The few statistics that the benchmarks need.
 *
 * @module
 */

/** @param share from 0 to 1; between two samples it is interpolated */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((left, right) => left - right);
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)] ?? NaN;
  const above = sorted[Math.ceil(at)] ?? NaN;
  return below + (above - below) * (at - Math.floor(at));
}

export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

export function mean(samples: readonly number[]): number {
  return samples.reduce((sum, sample) => sum + sample, 0) / samples.length;
}

export function standardDeviation(samples: readonly number[]): number {
  const centre = mean(samples);
  return Math.sqrt(mean(samples.map((sample) => (sample - centre) ** 2)));
}

/** How many of `samples` are chosen, from 0 to 1. */
export function share<T>(samples: readonly T[], isChosen: (sample: T) => boolean): number {
  return samples.length === 0 ? 0 : samples.filter(isChosen).length / samples.length;
}

/** Each sample over the baseline's sample of the same round, so that a slow moment hits both. */
export function pairedRatio(samples: readonly number[], baseline: readonly number[]): number {
  return median(samples.map((sample, round) => sample / baseline[round]!));
}
