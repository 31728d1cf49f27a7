/**
 * A whole node on this machine, without systemd: starts its processes, restarts them, ends with its parent.
 * Certified and shown as demo mode. As root on Linux each process is under the kernel policy.
 *
 *   main.ts --state DIR --run DIR --port N [--no-cell] [--no-policy] -- [gateway flags …]
 *
 * Prints one line when it is ready: {"port": N, "policy": "demo" | "none", "why": why there is none}.
 *
 * @module
 */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { CELL_GRACE_MS, findCell, inCell } from "../cell/cell-command.ts";
import { END_GRACE_MS } from "../gateway/starter.ts";
import { openLog } from "../log/log.ts";
import { HEARTBEAT_FILE, ORDER_FILE, runPaths, statePaths } from "../setup/paths.ts";
import { Cells } from "./cells.ts";
import { KernelPolicy } from "./kernel-policy.ts";

/** Between a process's end and its next start, in milliseconds: a crash must not become a storm. */
const RESTART_MS = 200;
/** How soon the fetcher follows an order. */
const ORDER_POLL_MS = 250;
/** The fetcher ends by itself when its order is gone; then it is ended, after these milliseconds. */
const FETCHER_GRACE_MS = 3_000;

const OWN_FILE = basename(import.meta.filename);

const { values, positionals: gatewayFlags } = parseArgs({
  allowPositionals: true,
  options: {
    state: { type: "string" },
    run: { type: "string" },
    port: { type: "string", default: "0" },
    "no-cell": { type: "boolean", default: false },
    "no-policy": { type: "boolean", default: false },
  },
});
const { state, run } = values;
if (!state || !run) process.exit(2);

const log = openLog("demo");
const children = new Map<string, ChildProcess>();
const paths = { ...statePaths(state), ...runPaths(run) };
let isStopping = false;
let cells: Cells | undefined;
/** The port of the first start is kept, so that devices find a restarted gateway. */
let port = Number(values.port);

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const)
  process.on(signal, () => void stop());
process.stdin.on("end", () => void stop()).on("error", () => void stop());
process.stdin.resume();

rmSync(run, { recursive: true, force: true });
mkdirSync(run, { recursive: true, mode: 0o700 });
const starting = startPolicy();
const policy = await starting;
const isFiltered = policy instanceof KernelPolicy;
const found = values["no-cell"] ? { obstacle: "ERR_SWITCHED_OFF" } : findCell();
const cell = "cell" in found ? found.cell : undefined;
if ("obstacle" in found) log("no-cell", { code: found.obstacle });
const keeperFlags = ["--starter", "gateway", "--policy", isFiltered ? "demo" : "none"];
await keep("keeper", cell ? [...keeperFlags, "--cells"] : keeperFlags);
const starterFlags = isFiltered ? ["--starter", "parent"] : ["--cell", cell ?? "none"];
await keep("gateway", [...starterFlags, ...gatewayFlags]);
if (isFiltered) {
  await policy.admitGateway(port);
  watchOrders();
}
watchStandingOrder();
const about = isFiltered ? { policy: "demo" } : { policy: "none", why: policy };
process.stdout.write(`${JSON.stringify({ port, ...about })}\n`);

async function startPolicy(): Promise<KernelPolicy | string> {
  const onLost = () => {
    // No window could be opened and no attempt seen: not a node to go on with.
    log("warden-lost");
    void stop(1);
  };
  if (values["no-policy"]) return "ERR_SWITCHED_OFF";
  return KernelPolicy.start({
    ...paths,
    socketPath: paths.warden,
    witnessPath: paths.witness,
    onLost,
  });
}

/**
 * Starts a process and starts it again whenever it ends; resolves when it is first ready. One that
 * ends before it was ever ready would end again, so that ends the node.
 */
function keep(name: "keeper" | "gateway", flags: readonly string[]): Promise<void> {
  let wasReady = false;
  return new Promise((resolve) => {
    const start = async () => {
      if (isStopping) return;
      const portFlags = name === "gateway" ? ["--port", String(port)] : [];
      const child = startRole(name, ["--run", run!, ...flags, ...portFlags], "ipc");
      if (name === "gateway" && isFiltered) cells = await serveCells(child);
      child.on("message", (message) => {
        if (typeof message === "object" && "port" in message) port = Number(message.port);
        else if (message !== "ready") return;
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
        setTimeout(() => void start(), RESTART_MS);
      });
    };
    void start();
  });
}

/** In the cgroup of its unit where there is a policy. */
function startRole(name: string, flags: readonly string[], ...more: "ipc"[]): ChildProcess {
  const [program, ...args] = command(name, ["--state", state!, ...flags]);
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "inherit", ...more] });
  children.set(name, child);
  return child;
}

function command(name: string, flags: readonly string[]): [string, ...string[]] {
  // Beside this one, compiled or not as this one is.
  const entry = fileURLToPath(new URL(`../${name}/${OWN_FILE}`, import.meta.url));
  const program: [string, ...string[]] = [process.execPath, entry, ...flags];
  const witness = isWitnessed(name) ? paths.witness : undefined;
  return inUnit(
    name,
    isCell(name) && cell ? inCell(cell, isReported(name), program, witness) : program,
  );
}

/** By the warden, to whom its cell connects it. */
function isWitnessed(name: string): boolean {
  return isFiltered && isReported(name);
}

function inUnit(name: string, program: [string, ...string[]]): [string, ...string[]] {
  return isFiltered ? policy.command(name, ...program) : program;
}

function isCell(name: string): boolean {
  return name === "worker" || name === "clerk";
}

/** Only a task has a receipt. */
function isReported(name: string): boolean {
  return name === "worker" && cell !== undefined;
}

function workerFlags(): string[] {
  return ["--models", paths.modelsDir, ...(isWitnessed("worker") ? ["--witness"] : [])];
}

async function serveCells(gateway: ChildProcess): Promise<Cells> {
  const pairSocket = join(run!, "pair.sock");
  rmSync(pairSocket, { force: true });
  return Cells.serve({
    gateway,
    pairSocket,
    command: (role) => command(role, role === "worker" ? workerFlags() : []),
    keeperSocket: (role) => (role === "worker" ? paths.keeperForWorkers : paths.keeperForClerks),
    reportSocket: (role) => (isReported(role) ? paths.reportsOfCells : undefined),
    graceMs: cell ? CELL_GRACE_MS : END_GRACE_MS,
  });
}

/** What a path unit does under systemd: the fetcher runs while there is an order. */
function watchOrders(): void {
  let fetcher: ChildProcess | undefined;
  let over: NodeJS.Timeout | undefined;
  setInterval(() => {
    if (isStopping) return;
    const isOrdered = existsSync(join(paths.ordersDir, ORDER_FILE));
    if (isOrdered && !fetcher) {
      fetcher = startRole("fetcher", [], "ipc");
      fetcher.once("exit", () => {
        clearTimeout(over);
        fetcher = over = undefined;
      });
    } else if (fetcher && !isOrdered) {
      over ??= setTimeout(() => fetcher?.kill("SIGKILL"), FETCHER_GRACE_MS);
    } else if (!isOrdered) {
      clearQuarantine();
    }
  }, ORDER_POLL_MS);
}

/** The same for the herald, while there is something to carry. It ends by itself. */
function watchStandingOrder(): void {
  let herald: ChildProcess | undefined;
  setInterval(() => {
    if (isStopping || herald || !existsSync(join(paths.ordersDir, HEARTBEAT_FILE))) return;
    herald = startRole("herald", [], "ipc");
    herald.once("exit", () => setTimeout(() => (herald = undefined), RESTART_MS));
  }, ORDER_POLL_MS);
}

/** Of a fetcher that ended before it could. */
function clearQuarantine(): void {
  for (const name of readdirSync(paths.quarantineDir))
    rmSync(join(paths.quarantineDir, name), { force: true });
}

async function stop(exitCode = 0): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  for (const name of ["fetcher", "herald", "gateway", "keeper"]) {
    const child = children.get(name);
    if (!child || child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGTERM");
    await new Promise((resolve) => child.once("exit", resolve));
  }
  await cells?.stopped();
  const started = await starting;
  if (started instanceof KernelPolicy) await started.stop();
  rmSync(run!, { recursive: true, force: true });
  process.exit(exitCode);
}
