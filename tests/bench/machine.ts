/**
 * What the run was measured on, and how much of it was somebody else's.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  /** Share of all cores that other programs used just before the run, from 0 to 1. */
  readonly othersBusy: number;
}

/** Looks for half a second, so nothing of ours may run yet. */
export async function describeMachine(): Promise<Machine> {
  const before = readTicks();
  await sleep(500);
  const after = readTicks();
  const total = after.total - before.total;
  return {
    processor: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    othersBusy: total === 0 ? 0 : 1 - (after.idle - before.idle) / total,
  };
}

/** User and kernel time of a process so far, in milliseconds; counted in steps of 10. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Memory that a process shares with no file, in bytes. */
export function anonymousBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(status)![1]) * 1024;
}

function readTicks(): { total: number; idle: number } {
  const fields = readFileSync("/proc/stat", "latin1").split("\n")[0]!.trim().split(/\s+/).slice(1);
  const ticks = fields.slice(0, 8).map(Number);
  return {
    total: ticks.reduce((sum, value) => sum + value, 0),
    idle: ticks[3]! + ticks[4]!,
  };
}
