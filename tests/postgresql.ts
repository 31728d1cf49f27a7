/**
 * A PostgreSQL server of a test's own: on a Unix socket in a folder of its own, gone with the test.
 *
 * @module
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const INSTALLED = "/usr/lib/postgresql";
/** A Unix socket's path has 108 bytes, and the server's user must be able to walk there. */
const PLACE = "/tmp";
const START_TIMEOUT_MS = 20_000;

export interface TestPostgresql {
  readonly url: string;
  readonly pid: number;
  /** As a crash of the machine: nothing is flushed that was not flushed. */
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Debian's, of the newest version; `undefined` where it is not installed. */
export function findPostgresql(): string | undefined {
  if (!existsSync(INSTALLED)) return undefined;
  const version = readdirSync(INSTALLED).toSorted((a, b) => Number(b) - Number(a))[0];
  const dir = version && join(INSTALLED, version, "bin");
  return dir && existsSync(join(dir, "postgres")) ? dir : undefined;
}

/** @param settings of the server; with a `port` it listens on 127.0.0.1 too, and `url` names that */
export async function startPostgresql(
  settings: Readonly<Record<string, string>> = {},
): Promise<TestPostgresql> {
  const bin = findPostgresql()!;
  const dir = mkdtempSync(join(PLACE, "phantoma-pg-"));
  // It refuses to run as root.
  const id = process.getuid?.() === 0 ? idOf("postgres") : undefined;
  if (id) chownSync(dir, id.uid, id.gid);
  const cluster = join(dir, "cluster");
  const made = ["-D", cluster, "-U", "postgres", "-A", "trust", "--no-locale", "-E", "UTF8"];
  execFileSync(join(bin, "initdb"), made, { stdio: "pipe", cwd: dir, ...id });
  const { port, ...more } = settings;
  const url =
    port === undefined
      ? `postgresql://postgres@localhost/postgres?host=${encodeURIComponent(dir)}`
      : `postgresql://postgres@127.0.0.1:${port}/postgres`;
  const all = {
    ...more,
    listen_addresses: port === undefined ? "" : "127.0.0.1",
    ...(port === undefined ? {} : { port }),
  };
  const chosen = Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const flags = ["-D", cluster, "-k", dir, ...chosen];
  let child: ChildProcess;

  const start = async () => {
    child = spawn(join(bin, "postgres"), flags, { stdio: "ignore", cwd: dir, ...id });
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (!isReady(bin, dir, port)) {
      if (child.exitCode !== null || performance.now() > deadline)
        throw new Error("PostgreSQL does not start");
      await sleep(50);
    }
  };
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await gone;
  };
  await start();
  return {
    url,
    get pid() {
      return child.pid!;
    },
    kill: () => end("SIGQUIT"),
    start,
    async stop() {
      await end("SIGINT");
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function isReady(bin: string, dir: string, port = "5432"): boolean {
  try {
    execFileSync(join(bin, "pg_isready"), ["-q", "-h", dir, "-p", port], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function idOf(user: string): { uid: number; gid: number } {
  const number = (flag: string) => Number(execFileSync("id", [flag, user], { encoding: "utf8" }));
  return { uid: number("-u"), gid: number("-g") };
}
