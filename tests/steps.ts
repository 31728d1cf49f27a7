/**
 * Everything that `npm test` runs, in order: the cheap and telling first.
 *
 * @module
 */
import { accessSync, constants, existsSync } from "node:fs";
import { noPostMortem } from "./post-mortem.ts";
import { findPostgresql } from "./postgresql.ts";
import { noGuest } from "./vps/needs.ts";

export interface Step {
  readonly name: string;
  /** File under the repository and its arguments, run by the project's Node, or the arguments of `program`. */
  readonly command: readonly string[];
  /** Another program than Node. */
  readonly program?: string;
  /** `check` is what one runs while working; `proof` starts real nodes. */
  readonly kind: "check" | "proof";
  /** Only with --all: what does not fit into the time of every landing. */
  readonly isLong?: boolean;
  /** Shown as it comes: it takes minutes, and whoever waits sees how far it is. */
  readonly isTold?: boolean;
  /** Why this machine cannot run it; `undefined` where it can. */
  readonly obstacle?: () => string | undefined;
}

const TSC = "node_modules/typescript/bin/tsc";
const VITEST = "node_modules/vitest/vitest.mjs";

export const steps: readonly Step[] = [
  { name: "types", kind: "check", command: [TSC, "-p", "."] },
  { name: "types, page", kind: "check", command: [TSC, "-p", "apps/desktop"] },
  {
    name: "types, preload",
    kind: "check",
    command: [TSC, "-p", "apps/desktop/tsconfig.preload.json"],
  },
  {
    name: "types, page's tests",
    kind: "check",
    command: [TSC, "-p", "apps/desktop/tsconfig.tests.json"],
  },
  { name: "types, browser tests", kind: "check", command: [TSC, "-p", "apps/desktop/e2e"] },
  {
    name: "lint",
    kind: "check",
    command: ["node_modules/oxlint/bin/oxlint", "--type-aware", "--deny-warnings"],
  },
  {
    name: "format",
    kind: "check",
    command: ["node_modules/prettier/bin/prettier.cjs", "--check", "--log-level", "warn", "."],
  },
  { name: "dead code", kind: "check", command: ["node_modules/knip/bin/knip.js"] },
  { name: "unit", kind: "check", command: [VITEST, "run"] },
  {
    name: "kernel policy",
    kind: "proof",
    program: "make",
    command: ["--silent", "-C", "bpf", "test"],
    obstacle: noKernelPolicy,
  },
  {
    name: "console in a browser",
    kind: "proof",
    command: [VITEST, "run", "--config", "apps/desktop/e2e/vitest.config.ts"],
    obstacle: noChromium,
  },
  { name: "demo", kind: "proof", command: ["tests/proofs/demo.ts"] },
  { name: "memory", kind: "proof", command: ["tests/proofs/memory.ts"], obstacle: noForeignMemory },
  {
    name: "vault",
    kind: "proof",
    command: ["tests/proofs/vault/main.ts"],
    obstacle: noForeignMemory,
  },
  { name: "wipe", kind: "proof", command: ["tests/proofs/wipe.ts"], obstacle: noPostMortem },
  {
    name: "kills",
    kind: "proof",
    command: ["tests/proofs/kills/main.ts"],
    obstacle: noKernelPolicy,
  },
  {
    name: "receipts",
    kind: "proof",
    command: ["tests/proofs/receipts.ts"],
    obstacle: noKernelPolicy,
  },
  { name: "tunnel", kind: "proof", command: ["tests/proofs/tunnel/main.ts"], obstacle: notLinux },
  { name: "release", kind: "proof", command: ["tests/proofs/release/main.ts"], obstacle: notLinux },
  {
    name: "blind",
    kind: "proof",
    command: ["tests/proofs/blind/main.ts"],
    obstacle: noPostgresql,
  },
  { name: "devices", kind: "proof", command: ["tests/proofs/devices/main.ts"], obstacle: notLinux },
  { name: "cross-talk", kind: "proof", command: ["tests/proofs/crosstalk.ts"], obstacle: notLinux },
  { name: "attacks", kind: "proof", command: ["tests/attacks/main.ts"], obstacle: noKernelPolicy },
  {
    name: "window",
    kind: "proof",
    command: ["tests/proofs/window/main.ts"],
    obstacle: noKernelPolicy,
  },
  {
    name: "update",
    kind: "proof",
    command: ["tests/proofs/update.ts"],
    obstacle: noBundle,
  },
  {
    name: "updates",
    kind: "proof",
    command: ["tests/proofs/updates/main.ts"],
    obstacle: noBundle,
  },
  // Its figures are of one model; another processor may round one answer in a hundred the other way.
  { name: "demo model", kind: "proof", command: ["models/demo/eval/evaluate.ts"], isLong: true },
  { name: "bench, quick", kind: "proof", command: ["tests/bench/main.ts", "--quick", "--report"] },
  { name: "bench", kind: "proof", command: ["tests/bench/main.ts"], isLong: true },
  {
    name: "bundle",
    kind: "proof",
    command: ["tools/bundle/main.ts", "--compare"],
    isLong: true,
    obstacle: noBundle,
  },
  {
    name: "guest image",
    kind: "proof",
    command: ["tests/vps/build-image.ts"],
    isTold: true,
    obstacle: noGuest,
  },
  {
    name: "ram",
    kind: "proof",
    command: ["tests/proofs/ram/main.ts"],
    isTold: true,
    obstacle: noGuest,
  },
  {
    name: "attacks, guest",
    kind: "proof",
    command: ["tests/attacks/main.ts", "--guest"],
    // Eleven minutes.
    isLong: true,
    isTold: true,
    obstacle: noGuest,
  },
  {
    name: "server",
    kind: "proof",
    command: ["tests/proofs/vps.ts"],
    // Seven minutes on a machine that does nothing else.
    isLong: true,
    isTold: true,
    obstacle: noGuest,
  },
  {
    name: "provision",
    kind: "proof",
    command: ["tests/proofs/provision/main.ts"],
    obstacle: noSystemdTools,
  },
  {
    name: "provision, guest",
    kind: "proof",
    command: ["tests/proofs/provision/guest.ts"],
    // Six minutes on a machine that does nothing else.
    isLong: true,
    isTold: true,
    obstacle: noGuest,
  },
  {
    name: "wizard",
    kind: "proof",
    command: ["tests/proofs/wizard.ts"],
    // Eighteen minutes.
    isLong: true,
    isTold: true,
    obstacle: () => noGuest() ?? noChromium(),
  },
];

/** Debian's: no browser of a test tool's own is fetched. */
function noChromium(): string | undefined {
  return existsSync("/usr/bin/chromium")
    ? undefined
    : "needs Debian's chromium: apt-get install it";
}

function noPostgresql(): string | undefined {
  return findPostgresql() === undefined
    ? "needs Debian's postgresql: apt-get install it"
    : notLinux();
}

function notLinux(): string | undefined {
  return process.platform === "linux" ? undefined : "needs Linux: it watches processes in /proc";
}

function noKernelPolicy(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0)
    return "needs root on Linux: it puts a node under the kernel policy";
  return existsSync("/usr/bin/clang")
    ? undefined
    : "needs what `make -C bpf` needs: clang, libbpf-dev";
}

function noBundle(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64")
    return "needs Linux on x64: bundles are made for it";
  return noKernelPolicy();
}

/** Set-up's files, users and folders are systemd's to make, below any root. */
function noSystemdTools(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "needs root on Linux";
  return existsSync("/usr/bin/systemd-sysusers") ? undefined : "needs Debian's systemd";
}

function noForeignMemory(): string | undefined {
  if (process.platform !== "linux") return notLinux();
  try {
    accessSync("/proc/1/mem", constants.R_OK);
    return undefined;
  } catch {
    return "needs root: it reads the memory of other processes";
  }
}
