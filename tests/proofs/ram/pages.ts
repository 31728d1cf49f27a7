/**
 * Which pages of the guest's RAM are in which process, so that a hit in a dump can be told whose it is.
 *
 * The processes run on while their tables are read. So they are read before a dump and after it, and a page
 * that a process had at either time counts as its own.
 *
 * @module
 */
import type { Guest } from "../../vps/guest.ts";
import { CURRENT_DIR } from "../../vps/install-node.ts";
import { processesInGuest, type GuestProcess } from "../../vps/processes.ts";

const PAGE_BYTES = 4096;

export interface PagesOf {
  readonly process: GuestProcess;
  /** Numbers of pages, which are offsets in a dump over 4096: RAM begins at 0 and is in one piece. */
  readonly pages: Set<number>;
}

/**
 * Runs in the guest as root: for each process a line with its id, then pages as FIRST+COUNT.
 *
 * Source: Linux Documentation/admin-guide/mm/pagemap.rst: 8 bytes a page, bit 63 present, bits 0 to 54 its number.
 */
const READER = `
const { closeSync, openSync, readFileSync, readSync } = require("node:fs");
const block = Buffer.alloc(8 * 65536);
for (const pid of process.argv.slice(2)) {
  const runs = [];
  try {
    const map = openSync("/proc/" + pid + "/pagemap", "r");
    for (const line of readFileSync("/proc/" + pid + "/maps", "latin1").split("\\n")) {
      const [, start, end] = /^([0-9a-f]+)-([0-9a-f]+) r/.exec(line) || [];
      if (!start || end.length > 12) continue;
      const last = parseInt(end, 16) / 4096;
      for (let page = parseInt(start, 16) / 4096; page < last; page += 65536) {
        const length = readSync(map, block, 0, 8 * Math.min(65536, last - page), page * 8);
        for (let at = 0; at < length; at += 8) {
          const high = block.readUInt32LE(at + 4);
          if (high < 0x80000000) continue;
          const number = (high & 0x7fffff) * 2 ** 32 + block.readUInt32LE(at);
          const run = runs.at(-1);
          if (run && run[0] + run[1] === number) run[1] += 1;
          else runs.push([number, 1]);
        }
      }
    }
    closeSync(map);
  } catch {}
  console.log(pid + " " + runs.map((run) => run.join("+")).join(" "));
}
`;

/** Of every process of the node. */
export async function pagesInGuest(guest: Guest): Promise<PagesOf[]> {
  const processes = await processesInGuest(guest);
  const ids = processes.map(({ pid }) => pid).join(" ");
  const lines = await guest.check(`${CURRENT_DIR}/bin/node - ${ids}`, READER);
  const byPid = new Map(lines.trimEnd().split("\n").map(readLine));
  return processes.map((process) => ({ process, pages: byPid.get(process.pid) ?? new Set() }));
}

/** The same processes at two times: the pages of both. */
export function joined(before: readonly PagesOf[], after: readonly PagesOf[]): PagesOf[] {
  const later = new Map(after.map(({ process, pages }) => [process.pid, pages]));
  return before.map(({ process, pages }) => ({
    process,
    pages: new Set([...pages, ...(later.get(process.pid) ?? [])]),
  }));
}

/** How many of these places in a dump are a process's own. */
export function countIn({ pages }: PagesOf, hits: readonly { readonly offset: number }[]): number {
  return hits.filter(({ offset }) => pages.has(Math.floor(offset / PAGE_BYTES))).length;
}

/** What the guest's kernel uses a page for. */
export type PageKind = "free" | "a process's" | "the kernel's";

/**
 * Runs in the guest as root: for each page its flags and how often it is mapped.
 *
 * Source: Linux Documentation/admin-guide/mm/pagemap.rst, /proc/kpageflags and /proc/kpagecount, 8 bytes a page.
 */
const KINDS_READER = `
const { openSync, readSync, readFileSync } = require("node:fs");
const flags = openSync("/proc/kpageflags", "r");
const counts = openSync("/proc/kpagecount", "r");
const entry = Buffer.alloc(8);
for (const page of process.argv.slice(2)) {
  readSync(flags, entry, 0, 8, page * 8);
  const low = entry.readUInt32LE();
  readSync(counts, entry, 0, 8, page * 8);
  console.log(low, entry.readUInt32LE());
}
`;
/** Bits of kpageflags. */
const IS_SLAB = 1 << 7;
const IS_USED = (1 << 5) | (1 << 11) | (1 << 12);

/** Where hits lie, a moment after they were found. @returns pages by their kind */
export async function kindsOfPages(
  guest: Guest,
  hits: readonly { readonly offset: number }[],
): Promise<Map<PageKind, number>> {
  const pages = [...new Set(hits.map(({ offset }) => Math.floor(offset / PAGE_BYTES)))];
  const found = new Map<PageKind, number>();
  if (pages.length === 0) return found;
  const lines = await guest.check(`${CURRENT_DIR}/bin/node - ${pages.join(" ")}`, KINDS_READER);
  for (const line of lines.trimEnd().split("\n")) {
    const [flags = 0, count = 0] = line.split(" ").map(Number);
    const kind = kindOf(flags, count);
    found.set(kind, (found.get(kind) ?? 0) + 1);
  }
  return found;
}

/** In words, where there are any. */
export function inPages(kinds: ReadonlyMap<PageKind, number>): string {
  const pages = [...kinds].map(([kind, count]) => `${count} ${kind} pages`);
  return pages.length > 0 ? `, in ${pages.join(", ")}` : "";
}

function kindOf(flags: number, count: number): PageKind {
  if ((flags & IS_SLAB) !== 0) return "the kernel's";
  if (count > 0 || (flags & IS_USED) !== 0) return "a process's";
  return "free";
}

function readLine(line: string): [number, Set<number>] {
  const [pid, ...runs] = line.split(" ");
  const pages = new Set<number>();
  for (const run of runs.filter((text) => text !== "")) {
    const [first = 0, count = 0] = run.split("+").map(Number);
    for (let page = first; page < first + count; page += 1) pages.add(page);
  }
  return [Number(pid), pages];
}
