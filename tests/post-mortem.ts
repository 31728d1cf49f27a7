/**
 * Looks at what a process leaves in its memory after its end: apps/node/cell/tests/postmortem.c holds that
 * memory for us while the process ends, and nobody else knows of it.
 *
 * @module
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { release } from "node:os";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";

const cellDir = fileURLToPath(new URL("../apps/node/cell", import.meta.url));

/** Bytes of the word that is looked for. */
export const WORD_BYTES = 32;

export interface Residue {
  /** Bytes of the pages that it had for itself, in whatever it mapped until its end. */
  readonly looked: number;
  /** Those of them that are not zero. */
  readonly left: number;
  /** Where the word was found and how often. */
  readonly places: Readonly<Record<string, number>>;
}

/** The first that names a process's mappings after its end. */
const KERNEL = [6, 11] as const;

/** Builds what tests the cell. @returns its folder of programs */
export function buildCellTests(): string {
  execFileSync("flock", [cellDir, "make", "--silent", "-C", cellDir, "tests"], { stdio: "pipe" });
  return `${cellDir}/build`;
}

/** Why nothing can be searched here; `undefined` where it can. */
export function noPostMortem(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64")
    return "the cell needs Linux on x86-64";
  if (process.getuid?.() !== 0)
    return "needs root: it keeps and reads the memory of other processes";
  for (const path of ["/usr/bin/make", "/usr/bin/cc", "/usr/include/seccomp.h"])
    if (!existsSync(path)) return "needs Debian's gcc, make and libseccomp-dev";
  const [major = 0, minor = 0] = release().split(/[.-]/).map(Number);
  if (major < KERNEL[0] || (major === KERNEL[0] && minor < KERNEL[1]))
    return "needs Linux 6.11: an older one forgets a process's mappings at its end";
  return undefined;
}

export class PostMortem {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;

  /** From here on the memory of `pid` stays, whatever becomes of the process. */
  static async hold(pid: number, word: string): Promise<PostMortem> {
    const held = new PostMortem(pid);
    held.#child.stdin!.write(word);
    const { value } = await held.#lines.next();
    if (value !== "held") throw new Error(`the memory of ${pid} could not be held`);
    return held;
  }

  private constructor(pid: number) {
    this.#child = spawn(`${cellDir}/build/postmortem`, [String(pid)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#reader = createInterface(this.#child.stdout!);
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** Looks, and lets go of the memory. */
  async look(): Promise<Residue> {
    const ended = once(this.#child, "exit");
    this.#child.stdin!.write(".");
    const { value } = await this.#lines.next();
    await ended;
    this.#reader.close();
    return JSON.parse(value as string) as Residue;
  }
}
