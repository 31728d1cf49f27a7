/**
 * Everything that `npm test` runs, in order: the cheap and telling first.
 *
 * @module
 */
import { accessSync, constants } from "node:fs";

export interface Step {
  readonly name: string;
  /** File under the repository and its arguments, run by the project's Node. */
  readonly command: readonly string[];
  /** `check` is what one runs while working; `proof` starts real nodes. */
  readonly kind: "check" | "proof";
  /** Only with --all: what does not fit into the time of every landing. */
  readonly isLong?: boolean;
  /** Why this machine cannot run it; `undefined` where it can. */
  readonly obstacle?: () => string | undefined;
}

export const steps: readonly Step[] = [
  { name: "types", kind: "check", command: ["node_modules/typescript/bin/tsc", "-p", "."] },
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
  { name: "unit", kind: "check", command: ["node_modules/vitest/vitest.mjs", "run"] },
  { name: "demo", kind: "proof", command: ["tests/proofs/demo.ts"] },
  { name: "memory", kind: "proof", command: ["tests/proofs/memory.ts"], obstacle: noForeignMemory },
  { name: "tunnel", kind: "proof", command: ["tests/proofs/tunnel/main.ts"], obstacle: notLinux },
  { name: "cross-talk", kind: "proof", command: ["tests/proofs/crosstalk.ts"], obstacle: notLinux },
  { name: "bench, quick", kind: "proof", command: ["tests/bench/main.ts", "--quick", "--report"] },
  { name: "bench", kind: "proof", command: ["tests/bench/main.ts"], isLong: true },
];

function notLinux(): string | undefined {
  return process.platform === "linux" ? undefined : "needs Linux: it watches processes in /proc";
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
