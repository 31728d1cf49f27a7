/**
 * Nobody but the devices has a word of it: the node's disk, the memory of all its processes, and the devices' own disks.
 *
 * @module
 */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scanFolder } from "../../file-scan.ts";
import { scanMemory } from "../../memory-scan.ts";
import { processesOf } from "../../node-under-test.ts";
import type { Proof } from "../../proof.ts";
import type { Stage } from "./stage.ts";

export function searchEverything(proof: Proof, { underTest, desk, canary }: Stage): void {
  const { node, dir } = underTest;
  const disk = scanFolder(dir, canary);
  proof.row({
    name: "the node's disk has no word of it",
    holds: disk.hits === 0 && disk.files > 0,
    detail: `${disk.hits} hits in ${disk.files} files`,
  });
  const planted = join(dir, "planted");
  writeFileSync(planted, canary);
  proof.control("a file with the words there is found", scanFolder(dir, canary).hits > 0);
  rmSync(planted);

  let hits = 0;
  let scanned = 0;
  const roles = new Set<string>();
  for (const { pid, role } of processesOf(node)) {
    if (!existsSync(`/proc/${pid}/mem`)) continue;
    const found = scanMemory(pid, canary);
    hits += found.hits;
    scanned += found.scannedBytes;
    roles.add(role);
  }
  proof.row({
    name: "the memory of the node's processes has no word of it",
    holds: hits === 0 && roles.has("keeper") && roles.has("gateway"),
    detail: `${hits} hits in ${(scanned / 1e6).toFixed(0)} MB of ${[...roles].join(", ")}`,
  });
  const own = scanMemory(process.pid, canary);
  proof.control("the device's own memory has the words", own.hits > 0, `${own.hits} hits`);

  const store = scanFolder(desk.storeDir, canary);
  proof.row({
    name: "the store on the device's disk has no word of it",
    holds: store.hits === 0 && store.files > 0,
    detail: `${store.hits} hits in ${store.files} files`,
  });
}
