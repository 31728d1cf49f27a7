/**
 * What decides a server's wipe grade, read from its kernel rather than from what set-up meant to do.
 *
 * @module
 */
import type { Guest } from "../../vps/guest.ts";

export interface GradeFacts {
  /** The kernel's own word at its start. */
  readonly wiping: string;
  readonly swap: string;
  /** Major and minor number of the device a hibernated image would be read from. */
  readonly resume: string;
  readonly cores: string;
}

export async function gradeFacts(guest: Guest): Promise<GradeFacts> {
  const text = await guest.check(
    `dmesg | grep -o 'heap free:[a-z]*'; tail -n +2 /proc/swaps | wc -l; cat /sys/power/resume
     cat /proc/sys/kernel/core_pattern`,
  );
  const [wiping = "", swaps = "", resume = "", cores = ""] = text.trim().split("\n");
  return { wiping, swap: `${swaps} devices`, resume, cores };
}

/** Freed pages are wiped, and no page can reach a disk. */
export function isGradeA({ wiping, swap, resume, cores }: GradeFacts): boolean {
  const noDump = cores === "|/bin/false";
  return wiping === "heap free:on" && swap === "0 devices" && resume === "0:0" && noDump;
}
