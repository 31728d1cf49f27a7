/**
 * Small operations timed in turns: A B A B, a few milliseconds each, so that a slow moment hits all.
 *
 * @module
 */

/** Long enough that the clock's own cost does not show. */
const SLICE_MS = 5;

/** @returns CPU microseconds of one call, for every operation, one sample a round */
export function interleaved<Name extends string>(
  operations: Readonly<Record<Name, () => unknown>>,
  rounds: number,
): Record<Name, number[]> {
  const names = Object.keys(operations) as Name[];
  const calls = Object.fromEntries(names.map((name) => [name, callsPerSlice(operations[name])]));
  const samples = Object.fromEntries(names.map((name) => [name, [] as number[]]));
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) {
      const before = process.cpuUsage();
      for (let call = 0; call < calls[name]!; call += 1) operations[name]();
      samples[name]!.push(cpuMicros(before) / calls[name]!);
    }
  }
  return samples as Record<Name, number[]>;
}

export function cpuMicros(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** Also warms the code up. */
function callsPerSlice(operation: () => unknown): number {
  const end = performance.now() + 4 * SLICE_MS;
  let calls = 0;
  while (performance.now() < end) {
    operation();
    calls += 1;
  }
  return Math.max(1, Math.round(calls / 4));
}
