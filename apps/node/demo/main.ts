/**
 * A whole node on one machine without systemd: starts keeper and gateway, restarts them, ends with
 * its parent. Certified and shown as demo mode.
 *
 *   main.ts --state DIR --run DIR --port N -- [gateway flags …]    prints {"port": N} when ready
 *
 * @module
 */
import { fork, type ChildProcess } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openLog } from "../log/log.ts";

/** Between a process's end and its next start, in milliseconds: a crash must not become a storm. */
const RESTART_MS = 200;

const { values, positionals: gatewayFlags } = parseArgs({
  allowPositionals: true,
  options: {
    state: { type: "string" },
    run: { type: "string" },
    port: { type: "string", default: "0" },
  },
});
const { state, run } = values;
if (!state || !run) process.exit(2);

const log = openLog("demo");
const children = new Map<string, ChildProcess>();
let isStopping = false;
/** The port of the first start is kept, so that devices find a restarted gateway. */
let port = Number(values.port);

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const)
  process.on(signal, () => void stop());
process.stdin.on("end", () => void stop()).on("error", () => void stop());
process.stdin.resume();

await keep("keeper", ["--starter", "gateway", "--policy", "none"]);
await keep("gateway", gatewayFlags);
process.stdout.write(`${JSON.stringify({ port })}\n`);

/**
 * Starts a process and starts it again whenever it ends; resolves when it is first ready. One that
 * ends before it was ever ready would end again, so that ends the node.
 */
function keep(name: "keeper" | "gateway", flags: readonly string[]): Promise<void> {
  let wasReady = false;
  return new Promise((resolve) => {
    const start = () => {
      if (isStopping) return;
      if (name === "keeper") clearRunDir();
      const portFlags = name === "gateway" ? ["--port", String(port)] : [];
      const entry = fileURLToPath(new URL(`../${name}/main.ts`, import.meta.url));
      const args = ["--state", state!, "--run", run!, ...flags, ...portFlags];
      const child = fork(entry, args, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
      children.set(name, child);
      child.once("message", (message) => {
        if (typeof message === "object") port = (message as { port: number }).port;
        wasReady = true;
        resolve();
      });
      child.once("exit", () => {
        if (isStopping) return;
        if (!wasReady) {
          log("cannot-start", { code: name });
          return void stop(1);
        }
        log("restart", { code: name });
        setTimeout(start, RESTART_MS);
      });
    };
    start();
  });
}

/** Sockets of a keeper that was killed are in the way of the next one. */
function clearRunDir(): void {
  rmSync(run!, { recursive: true, force: true });
  mkdirSync(run!, { recursive: true, mode: 0o700 });
}

async function stop(exitCode = 0): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  for (const name of ["gateway", "keeper"]) {
    const child = children.get(name);
    if (!child || child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGTERM");
    await new Promise((resolve) => child.once("exit", resolve));
  }
  rmSync(run!, { recursive: true, force: true });
  process.exit(exitCode);
}
