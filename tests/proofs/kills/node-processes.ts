/**
 * Whom a node consists of, whom one can kill, and who was left behind.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { LocalNode } from "@phantoma/client";
import { processesOf } from "../../node-under-test.ts";
import type { Victim } from "./steps.ts";

/** How often a process is looked at, in milliseconds: each look reads files of a dozen. */
const LOOK_MS = 25;

/** A worker and a clerk with a guard, a cell and two anchors each; the warden has a second process. */
export const AT_REST =
  "anchor anchor anchor anchor cell cell cell cell clerk demo gateway keeper warden warden worker";

export type Pids = Readonly<Partial<Record<Victim, number>>>;

/** One of each; the worker is the one that is not `but`. */
export function pidsOf(node: LocalNode, but?: number): Pids {
  const all = processesOf(node);
  const one = (role: Victim) => all.find((found) => found.role === role && found.pid !== but)?.pid;
  const worker = one("worker");
  return {
    gateway: one("gateway"),
    keeper: one("keeper"),
    warden: one("warden"),
    ...(worker === undefined ? {} : { worker, cell: parentOf(worker) }),
  } as Pids;
}

/** Who is there, by role. */
export function rolesOf(node: LocalNode): string {
  return processesOf(node)
    .map(({ role }) => role)
    .toSorted()
    .join(" ");
}

/** Processes that run a program below `dir` and do not belong to the node. */
export function orphansOf(dir: string, node: LocalNode): string[] {
  const before = runningBelow(dir);
  const own = new Set(processesOf(node).map(({ pid }) => pid));
  // What began or ended while we looked is no orphan: it is not there twice.
  const after = runningBelow(dir);
  return [...after].filter(([pid]) => before.has(pid) && !own.has(pid)).map(([, name]) => name);
}

/** pid → the program. */
export function runningBelow(dir: string): Map<number, string> {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return new Map(
    pids.flatMap((pid) => {
      const words = read(`${pid}/cmdline`).split("\0");
      const program = words.find((word) => word.startsWith(`${dir}/`));
      return program === undefined ? [] : [[Number(pid), program.slice(dir.length + 1)]];
    }),
  );
}

export function isStopped(pid: number | undefined): boolean {
  return /^[Tt]$/.test(stateOf(pid));
}

export function isGone(pid: number): boolean {
  return ["", "Z", "X"].includes(stateOf(pid));
}

/** @returns whether it came to that in time */
export async function until(holds: () => boolean, timeoutMs: number): Promise<boolean> {
  const late = Date.now() + timeoutMs;
  while (!holds()) {
    if (Date.now() > late) return false;
    await sleep(LOOK_MS);
  }
  return true;
}

export function signal(pid: number, name: "SIGKILL" | "SIGCONT"): void {
  try {
    process.kill(pid, name);
  } catch {
    // It went with the one that was killed before.
  }
}

function stateOf(pid: number | undefined): string {
  return pid === undefined ? "" : (/\) (\S)/.exec(read(`${pid}/stat`))?.[1] ?? "");
}

function parentOf(pid: number): number {
  return Number(/\) \S (\d+)/.exec(read(`${pid}/stat`))?.[1]);
}

function read(name: string): string {
  try {
    return readFileSync(`/proc/${name}`, "latin1");
  } catch {
    return "";
  }
}
