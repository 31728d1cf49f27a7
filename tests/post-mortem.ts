/**
 * Searches what a process leaves in its memory after its end: apps/node/cell/tests/postmortem.c holds that
 * memory for us while the process ends, and nobody else knows of it.
 *
 * @module
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";

const cellDir = fileURLToPath(new URL("../apps/node/cell", import.meta.url));

/** Bytes of the word that is looked for. */
export const WORD_BYTES = 32;

export interface Residue {
  /** Bytes that were there to be searched. */
  readonly readable: number;
  /** Where the word was found and how often. */
  readonly places: Readonly<Record<string, number>>;
}

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

  /** Searches, and lets go of the memory. */
  async search(): Promise<Residue> {
    const ended = once(this.#child, "exit");
    this.#child.stdin!.write(".");
    const { value } = await this.#lines.next();
    await ended;
    this.#reader.close();
    return JSON.parse(value as string) as Residue;
  }
}

export function hits({ places }: Residue): number {
  return Object.values(places).reduce((sum, count) => sum + count, 0);
}
