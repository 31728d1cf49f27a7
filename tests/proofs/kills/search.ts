/**
 * Where a task's words could be after it: in files of the node, in files that anybody wrote meanwhile, in the
 * memory of processes that live on.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import type { LocalNode } from "@phantoma/client";
import { memoryMounts, scanFolder, scanOpenFiles, type FileScan } from "../../file-scan.ts";
import { scanMemory } from "../../memory-scan.ts";
import { processesOf } from "../../node-under-test.ts";

/** Bytes: larger ones are models and disks of other machines, and are counted instead of read. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** Files that its processes have open, its folders, and every file system in memory that it sees. */
export function scanFiles(node: LocalNode, dirs: readonly string[], word: string): FileScan {
  const processes = processesOf(node);
  const mounts = new Set(processes.flatMap(({ pid }) => memoryMounts(pid)));
  const scans = [
    ...processes.map(({ pid }) => scanOpenFiles(pid, word)),
    ...[...dirs, ...mounts].map((folder) => scanFolder(folder, word)),
  ];
  return {
    hits: scans.reduce((sum, { hits }) => sum + hits, 0),
    files: scans.reduce((sum, { files }) => sum + files, 0),
  };
}

/** In all processes of the node that are no younger than the task; an anchor's memory is its worker's. */
export function scanProcesses(node: LocalNode, old: ReadonlySet<number>, word: string): number {
  return processesOf(node)
    .filter(({ pid, role }) => role !== "anchor" && old.has(pid))
    .reduce((sum, { pid }) => sum + hitsIn(pid, word), 0);
}

function hitsIn(pid: number, word: string): number {
  try {
    return scanMemory(pid, word).hits;
  } catch (error) {
    // It ended while others were searched.
    if (!existsSync(`/proc/${pid}`)) return 0;
    throw error;
  }
}

export interface DiskScan extends FileScan {
  /** Files over the size that is read. */
  readonly skipped: number;
  readonly found: readonly string[];
}

/** Every file of this machine's disk that was written after `marker` was, whoever wrote it. */
export function scanDisk(marker: string, word: string): DiskScan {
  const needles = [Buffer.from(word, "utf8"), Buffer.from(word, "utf16le")];
  // Ends with 1 when a folder vanishes while it is looked at; whether it finds anything the control shows.
  const listing = spawnSync("find", ["/", "-xdev", "-type", "f", "-newer", marker, "-print0"], {
    maxBuffer: MAX_FILE_BYTES,
    stdio: ["ignore", "pipe", "ignore"],
  });
  if (listing.error) throw listing.error;
  const paths = listing.stdout.toString("utf8").split("\0").filter(Boolean);
  const small = paths.filter((path) => sizeOf(path) <= MAX_FILE_BYTES);
  const found = small.filter((path) => {
    const content = contentOf(path);
    return needles.some((needle) => path.includes(word) || content.includes(needle));
  });
  return {
    hits: found.length,
    files: small.length,
    skipped: paths.length - small.length,
    found,
  };
}

/** What vanishes while it is looked at is not there. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function contentOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}
