/**
 * The real web console with a real demo node behind it, whose model repeats its prompt.
 *
 * @module
 */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { makeModel, modelFileName, shapes } from "../../../tools/make-model/make-model.ts";

const rootDir = fileURLToPath(new URL("../../..", import.meta.url));
const MODEL_SEED = 1;
const MODEL_DIR = join(rootDir, ".cache/models");

export interface ConsoleUnderTest {
  /** Opens once. */
  readonly link: string;
  readonly startedAt: number;
  /** Ends the demo node's gateway as a fault would: at once, telling nobody. */
  readonly killGateway: () => void;
  /** The demo node's cgroup, where it has a kernel policy. */
  readonly cgroup: () => string;
  readonly close: () => Promise<void>;
  /** Ends it as a fault would: at once. */
  readonly kill: () => Promise<void>;
}

export interface ConsoleChoices {
  /** One that is kept when the console ends; otherwise it has one of its own. */
  readonly home?: string;
  /** More options of `web/main.ts`. */
  readonly flags?: readonly string[];
}

/** @param env what the console is told besides, and with it the demo node's processes */
export async function startConsole(
  env: NodeJS.ProcessEnv = {},
  { home: kept, flags = [] }: ConsoleChoices = {},
): Promise<ConsoleUnderTest> {
  const shape = shapes.echo();
  const modelPath = join(MODEL_DIR, modelFileName(shape, MODEL_SEED));
  await makeModel({ path: modelPath, shape, seed: MODEL_SEED });
  const home = kept ?? mkdtempSync(join(tmpdir(), "phantoma-console-"));
  const main = join(rootDir, "apps/desktop/web/main.ts");
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    [main, "--no-open", "--json", "--home", home, "--model", modelPath, ...flags],
    { cwd: rootDir, stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, ...env } },
  );
  const line = await firstLine(child);
  const { link } = JSON.parse(line) as { link: string };
  return {
    link,
    startedAt,
    killGateway: () => {
      for (const pid of descendants(child.pid!))
        if (/apps\/node\/gateway\/main/.test(commandOf(pid))) process.kill(pid, "SIGKILL");
    },
    cgroup: () => {
      const keeper = descendants(child.pid!).find((pid) =>
        /node\/keeper\/main/.test(commandOf(pid)),
      );
      const own = /^0::(.*)\/keeper$/m.exec(readFileSync(`/proc/${keeper}/cgroup`, "utf8"))?.[1];
      const mounts = readFileSync("/proc/self/mountinfo", "utf8");
      const tree = /^(?:\S+ ){4}(\S+) .* - cgroup2 /m.exec(mounts)?.[1];
      return join(tree!, own!);
    },
    close: async () => {
      await end(child, "SIGTERM");
      if (kept === undefined) rmSync(home, { recursive: true, force: true });
    },
    kill: () => end(child, "SIGKILL"),
  };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await ended;
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout! }).once("line", resolve);
    child.once("exit", (code) => reject(new Error(`the console ended with ${code}`)));
  });
}

function descendants(root: number): number[] {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  const parents = new Map(all.map((pid) => [pid, parentOf(pid)]));
  return all.filter((pid) => {
    for (let at = parents.get(pid); at !== undefined; at = parents.get(at))
      if (at === root) return true;
    return false;
  });
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) || undefined;
  } catch {
    // It ended while we looked.
    return undefined;
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return "";
  }
}
