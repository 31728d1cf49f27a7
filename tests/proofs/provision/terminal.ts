/**
 * `phantoma` as a person runs it, with its lines as values: for guests and for a stranger's machine.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../../apps/cli/main.ts", import.meta.url));
/** The last words of an error, in characters. */
const TAIL = 600;

export interface Line {
  readonly kind?: string;
  readonly step?: string;
  readonly state?: string;
  readonly unit?: string;
  readonly isBlocked?: boolean;
  readonly isCounted?: boolean;
  readonly isAway?: boolean;
  readonly at?: number;
  readonly [name: string]: unknown;
}

export interface Outcome {
  readonly code: number | null;
  readonly lines: readonly Line[];
  readonly errors: string;
  readonly seconds: number;
  /** What a row says of it: its time, and why it failed. */
  readonly detail: string;
}

export class Terminal {
  readonly #home: string;

  constructor(home: string) {
    this.#home = home;
  }

  async run(
    args: readonly string[],
    input = "",
    hear: (line: Line) => void = () => undefined,
  ): Promise<Outcome> {
    const start = Date.now();
    const child = spawn(process.execPath, [main, ...args, "--json", "--home", this.#home]);
    const lines: Line[] = [];
    let errors = "";
    child.stderr.on("data", (part: Buffer) => (errors += part.toString("utf8")));
    createInterface(child.stdout).on("line", (text) => {
      const line = JSON.parse(text) as Line;
      lines.push(line);
      hear(line);
    });
    child.stdin.end(input);
    const [code] = (await once(child, "close")) as [number | null];
    const seconds = (Date.now() - start) / 1000;
    const detail = `${seconds.toFixed(0)} s${code === 0 ? "" : `; ${errors.trim().slice(-TAIL)}`}`;
    return { code, lines, errors, seconds, detail };
  }
}

/** Seconds of each step that was done. */
export function stepTimes(lines: readonly Line[]): Map<string, number> {
  const began = new Map<string, number>();
  const times = new Map<string, number>();
  for (const { kind, step, state, at } of lines) {
    if (kind !== "step" || step === undefined || at === undefined) continue;
    if (state === "applying") began.set(step, began.get(step) ?? at);
    if (state === "done") times.set(step, (at - (began.get(step) ?? at)) / 1000);
  }
  return times;
}
