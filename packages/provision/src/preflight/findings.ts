/**
 * What the facts of a server mean: which are good, which a person should know, and which end it here.
 *
 * @module
 */
import type { Facts } from "./facts.ts";

export type Verdict = "good" | "note" | "stop";

export interface Finding {
  readonly check: Check;
  readonly verdict: Verdict;
  /** What was found, in a few words. */
  readonly fact: string;
  /** What follows from it, and what to do; empty where nothing is. */
  readonly consequence: string;
}

export interface Circumstances {
  readonly port: number;
  /** Of this machine, in milliseconds, in the middle of the asking. */
  readonly now: number;
  /** How far off that may be, in milliseconds. */
  readonly uncertaintyMs: number;
}

/** Linux 6.1 and systemd 252 are Debian 12's, the oldest that a node is tried with; its programs want that C library. */
const MIN_KERNEL = [6, 1];
const MIN_SYSTEMD = 252;
const MIN_LIBC = [2, 36];
/** A rented server of "1 GB" has 960 MiB; below 900 no worker is warm beside the node's processes. */
export const MIN_MEMORY_KIB = 900 * 1024;
/** Below it, models beyond the demo's have no room. */
const SMALL_MEMORY_KIB = 1_900 * 1024;
/** A bundle, its copy and two releases at 230 MB each. */
export const MIN_DISK_KIB = 1024 * 1024;
/** Seconds; tickets live for 60, and an update's metadata has deadlines. */
export const MAX_SKEW_SECONDS = 30;

const CHECKS = {
  system: ({ os, osVersion }) => {
    const fact = `${os ?? "unknown"} ${osVersion ?? ""}`.trim();
    if (os === "debian" && ["12", "13"].includes(osVersion ?? "")) return good(fact);
    return note(fact, "nobody has tried a node on it; what counts is checked below");
  },
  processor: ({ arch, avx2, cores }) => {
    const fact = `${arch ?? "unknown"}, ${cores ?? "?"} cores${avx2 ? ", AVX2" : ""}`;
    if (arch !== "x86_64")
      return stop(fact, "there is no release for it yet: rent a server with an x86-64 processor");
    return avx2 ? good(fact) : note(fact, "without AVX2 answers come several times slower");
  },
  kernel: ({ kernel }) =>
    isAtLeast(kernel, MIN_KERNEL)
      ? good(kernel!)
      : stop(
          kernel ?? "unknown",
          "the kernel policy needs Linux 6.1: update the system, or install Debian 12",
        ),
  library: ({ libc }) =>
    isAtLeast(libc?.replace("glibc ", ""), MIN_LIBC)
      ? good(libc!)
      : stop(libc ?? "not glibc", "the programs need glibc 2.36: install Debian 12"),
  virtualisation: ({ isContainer, virtualisation = "none" }) =>
    isContainer
      ? stop(
          virtualisation,
          "a container shares its kernel, so nothing can be enforced: rent a virtual machine",
        )
      : good(virtualisation),
  types: ({ btf }) =>
    btf
      ? good("the kernel describes its types")
      : stop(
          "no BTF",
          "the kernel policy needs /sys/kernel/btf/vmlinux: boot the distribution's own kernel",
        ),
  groups: ({ cgroups }) =>
    cgroups === "cgroup2fs"
      ? good("control groups, version 2")
      : stop("control groups, version 1", "boot with systemd.unified_cgroup_hierarchy=1"),
  services: ({ isSystemd, systemd }) =>
    isSystemd && systemd !== undefined && systemd >= MIN_SYSTEMD
      ? good(`systemd ${systemd}`)
      : stop(
          isSystemd ? `systemd ${systemd ?? "unknown"}` : "no systemd",
          "a node is started by systemd 252 or newer: install Debian 12",
        ),
  programs: ({ missing = [] }) =>
    missing.length === 0 ? good("all there") : stop(missing.join(", "), "install what is missing"),
  memory: ({ memoryKib }) => {
    if (memoryKib === undefined) return stop("unknown", "see /proc/meminfo on the server");
    const fact = `${(memoryKib / 2 ** 20).toFixed(1)} GiB`;
    if (memoryKib < MIN_MEMORY_KIB) return stop(fact, "a node needs 1 GB: rent a larger server");
    return memoryKib < SMALL_MEMORY_KIB
      ? note(fact, "enough for the demo model and little more")
      : good(fact);
  },
  disk: ({ optKib, stateKib }) => {
    if (optKib === undefined || stateKib === undefined)
      return stop("unknown", "see `df` on the server");
    const least = Math.min(optKib, stateKib);
    const fact = `${(least / 2 ** 20).toFixed(1)} GiB free`;
    return least < MIN_DISK_KIB ? stop(fact, "two releases need 1 GiB: make room") : good(fact);
  },
  clock: ({ clock }, { now, uncertaintyMs }) => {
    const offMs = Math.max(0, Math.abs(clock * 1000 + 500 - now) - uncertaintyMs - 500);
    const seconds = Math.round(offMs / 1000);
    if (seconds > MAX_SKEW_SECONDS)
      return stop(
        `${seconds} s off this machine's`,
        "set the clock that is wrong: tickets live for 60 s",
      );
    return seconds > 2
      ? note(`${seconds} s off`, "let both machines take the time from the network")
      : good("right");
  },
  port: ({ portHolder, release }, { port }) => {
    if (portHolder === "unknown")
      return note(`${port}, not found out`, "there is no `ss`; the start will show it");
    if (portHolder === undefined) return good(`${port} is free`);
    if (release !== undefined) return good(`${port} is the node's`);
    return stop(`${port} is taken`, "choose another with --port, or end what listens there");
  },
  packages: ({ aptLock, cloudInit }) => {
    if (cloudInit === "running")
      return stop("its first boot has not ended", "wait a minute, and run it again");
    return aptLock === "held"
      ? note(
          "an installation is going on",
          "a node needs no package; that installation may restart the server",
        )
      : good("no installation is going on");
  },
  swap: ({ swaps }) =>
    swaps === 0
      ? good("none")
      : note(
          swaps === undefined ? "unknown" : "on",
          "a swapped page can outlive a task: the grade stays B until it is switched off; set-up leaves it alone",
        ),
  hibernation: ({ hibernation }) =>
    hibernation
      ? note("possible", "it would write RAM to a disk: set-up forbids it")
      : good("not possible"),
  kernelUpdate: ({ kernel, newestKernel }) =>
    newestKernel === undefined || newestKernel === kernel
      ? good("none waits")
      : note(`${newestKernel} waits for a reboot`, "the reboot that set-up asks for starts it"),
  freedMemory: ({ initOnFree, grub }) => {
    if (initOnFree) return good("the kernel cleans it");
    return grub
      ? note(
          "not cleaned",
          "set-up puts init_on_free=1 on the kernel's command line; it holds after a reboot, which is asked for",
        )
      : note("not cleaned", "there is no GRUB here to set init_on_free=1 with: the grade is B");
  },
  firewall: ({ ufw, firewalld, nftables }, { port }) => {
    if (ufw) return note("ufw is on", `set-up adds one rule to it, which lets TCP ${port} in`);
    if (firewalld)
      return note(
        "firewalld is on",
        `set-up adds TCP ${port} to the zone that leads out, and nothing else`,
      );
    if (nftables)
      return note(
        "nftables has rules of its own",
        `set-up puts one before them, which lets TCP ${port} in, and changes none`,
      );
    return good("none on the server; your provider may have one");
  },
  node: ({ release, nodeKey }) => {
    if (release === undefined && nodeKey === undefined) return good("none yet");
    const version = release?.split("/").at(-1) ?? "unfinished";
    return note(
      version,
      "what is there is kept: set-up goes on where it was, and changes nothing that is right",
    );
  },
} as const satisfies Record<string, Rule>;

export type Check = keyof typeof CHECKS;
type Judgement = Omit<Finding, "check">;
type Rule = (facts: Facts, circumstances: Circumstances) => Judgement;

/** In the order in which people should read them. */
export function judge(facts: Facts, circumstances: Circumstances): readonly Finding[] {
  return (Object.entries(CHECKS) as [Check, Rule][]).map(([check, rule]) => ({
    check,
    ...rule(facts, circumstances),
  }));
}

export function isFit(findings: readonly Finding[]): boolean {
  return findings.every(({ verdict }) => verdict !== "stop");
}

function good(fact: string): Judgement {
  return { verdict: "good", fact, consequence: "" };
}

function note(fact: string, consequence: string): Judgement {
  return { verdict: "note", fact, consequence };
}

function stop(fact: string, consequence: string): Judgement {
  return { verdict: "stop", fact, consequence };
}

/** By numbers: 6.10 is above 6.9. */
function isAtLeast(version: string | undefined, minimum: readonly number[]): boolean {
  const numbers = /^\d{1,6}(?:\.\d{1,6})*/
    .exec(version ?? "")?.[0]
    .split(".")
    .map(Number);
  if (!numbers) return false;
  for (const [place, wanted] of minimum.entries()) {
    const difference = (numbers[place] ?? 0) - wanted;
    if (difference !== 0) return difference > 0;
  }
  return true;
}
