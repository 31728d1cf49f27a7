/**
 * What a node's long-lived processes hold, as the kernel counts it: to compare before and after many tasks.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { processesOf, type NodeUnderTest } from "./node-under-test.ts";

/** What is counted → how many. */
export type Footprint = ReadonlyMap<string, number>;

const LASTING = ["gateway", "keeper", "warden", "demo"] as const;

export function footprintOf({ node, dir }: NodeUnderTest): Footprint {
  const processes = processesOf(node);
  const counts = new Map<string, number>();
  for (const role of LASTING) {
    const of = processes.find((process) => process.role === role);
    if (!of) continue;
    const status = readFileSync(`/proc/${of.pid}/status`, "latin1");
    counts.set(`${role}'s memory in KiB`, Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]));
    counts.set(`${role}'s descriptors`, readdirSync(`/proc/${of.pid}/fd`).length);
  }
  counts.set("processes", processes.length);
  const mounts = readFileSync(`/proc/${node.pid}/mountinfo`, "latin1").trimEnd().split("\n");
  counts.set("mounts", mounts.length);
  counts.set("files", readdirSync(dir, { recursive: true }).length);
  return counts;
}
