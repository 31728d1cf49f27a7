/**
 * A node on a small disk of its own, and windows opened on it as a person would.
 *
 * @module
 */
import { execFile, execFileSync, spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statfsSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import {
  ControlSession,
  LocalNode,
  signWindowOrder,
  type ResolvedModel,
  type Transfer,
} from "@phantoma/client";
import { exportDeviceIdentity, generateDeviceIdentity } from "@phantoma/crypto";
import { weights, weightsDigest } from "../../../apps/node/fetcher/test-model-host.ts";
import { runPaths, statePaths } from "../../../apps/node/setup/paths.ts";
import { cachedModel, nodeDir } from "../../node-under-test.ts";
import { places } from "./network.ts";

const run = promisify(execFile);

/** Room for the node, and soon full. */
const DISK = "64m";
/** A busy machine is slow, in milliseconds. */
const PATIENCE_MS = 60_000;

export class Stage {
  readonly device = generateDeviceIdentity();
  readonly node: LocalNode;
  readonly #dir: string;
  /** What the node's processes wrote on standard error. */
  readonly log: readonly string[];

  static async set(dir: string): Promise<Stage> {
    const disk = join(dir, "disk");
    mkdirSync(disk);
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK}`, "none", disk]);
    const log: string[] = [];
    // The node shows its log there when it is asked to; here it is looked into.
    process.stderr.write = (text: string | Uint8Array) => log.push(String(text)) > 0;
    const device = generateDeviceIdentity();
    const model = await cachedModel("tiny");
    const node = await LocalNode.start({
      nodeDir,
      dir: join(disk, "node"),
      device,
      models: [{ path: model }],
      isVerbose: true,
    });
    return new Stage(device, node, dir, log);
  }

  private constructor(
    device: Stage["device"],
    node: LocalNode,
    dir: string,
    log: readonly string[],
  ) {
    this.device = device;
    this.node = node;
    this.#dir = dir;
    this.log = log;
  }

  get peer() {
    return { profile: this.node.profile, device: this.device };
  }

  get paths() {
    const dir = join(this.#dir, "disk/node");
    return { ...statePaths(join(dir, "state")), ...runPaths(join(dir, "run")) };
  }

  async strike(): Promise<void> {
    // Where the proof broke off while it was stopped.
    process.kill(this.node.pid, "SIGCONT");
    await this.node.stop();
    execFileSync("umount", [join(this.#dir, "disk")]);
  }

  async ask<T>(use: (session: ControlSession) => Promise<T>): Promise<T> {
    const session = await ControlSession.open(this.peer);
    return use(session).finally(() => session.close());
  }

  order(model: ResolvedModel, lifetimeMs: number, highestCounter: string): Uint8Array {
    const node = Buffer.from(this.node.profile.nodeKey, "hex");
    const request = { node, models: [model], highestCounter, lifetimeMs, nodeTime: Date.now() };
    return signWindowOrder(this.device, request);
  }

  async open(model: ResolvedModel, lifetimeMs: number): Promise<number> {
    await this.ask(async (session) => {
      const { highestCounter } = await session.window();
      await session.openWindow(this.order(model, lifetimeMs, highestCounter));
    });
    return Date.now() + lifetimeMs;
  }

  /** Opens a window and waits for its end. */
  async fetch(model: ResolvedModel, lifetimeMs = 20_000): Promise<Transfer> {
    await this.open(model, lifetimeMs);
    return this.outcome(lifetimeMs);
  }

  outcome(lifetimeMs: number): Promise<Transfer> {
    return this.ask((session) =>
      until(async () => {
        const { open, transfers } = await session.window();
        const [transfer] = transfers;
        return !open && transfer && /stored|failed/.test(transfer.state) ? transfer : undefined;
      }, lifetimeMs + PATIENCE_MS),
    );
  }

  /** The terminal as an admin has it, on a machine whose resolver knows the model host and its CDN. */
  phantoma(...args: string[]): { pid: number; said: Promise<string> } {
    const home = join(this.#dir, "home");
    const hosts = join(this.#dir, "hosts");
    mkdirSync(join(home, "nodes"), { recursive: true, mode: 0o700 });
    const secret = exportDeviceIdentity(this.device);
    writeFileSync(join(home, "device.key"), secret.expose(), { mode: 0o600 });
    secret.erase();
    const profile = JSON.stringify(this.node.profile);
    writeFileSync(join(home, "nodes/demo.json"), profile, { mode: 0o600 });
    writeFileSync(hosts, `${places.models} models.test\n${places.cdn} cdn.test\n`);
    const script = 'mount --bind "$0" /etc/hosts && exec "$@"';
    const program = [process.execPath, CLI, ...args, "--home", home];
    const enter = ["--mount", "sh", "-c", script, hosts];
    const running = run("unshare", enter.concat(program));
    // It says on standard error what is for people, also where it ends badly.
    const said = running.then(
      ({ stdout, stderr }) => stdout + stderr,
      (error: { code?: number; stderr?: string }) => `exit ${error.code}\n${error.stderr}`,
    );
    return { pid: running.child.pid!, said };
  }

  /** Everything that a window could leave, once its fetcher has had the time to leave nothing. */
  async remains(): Promise<string[]> {
    const { ordersDir, quarantineDir, modelsDir, incomingDir } = this.paths;
    const look = () => [ordersDir, quarantineDir, incomingDir].flatMap((one) => readdirSync(one));
    await until(async () => (look().length === 0 ? true : undefined), 5_000).catch(() => undefined);
    const listed = await this.ask((session) => session.models());
    const stored = readdirSync(modelsDir).filter(
      (name) =>
        name !== "catalogue.json" && !listed.some(({ digest }) => name === `${digest}.gguf`),
    );
    return [...look(), ...stored];
  }

  /** Leaves this many bytes free; returns the way to give the rest back. */
  fillDisk(free: number): () => void {
    const path = join(dirname(this.paths.ordersDir), "filler");
    const { bavail, bsize } = statfsSync(this.paths.ordersDir);
    writeFileSync(path, Buffer.alloc(bavail * bsize - free));
    return () => writeFileSync(path, "");
  }

  /** The root of this node's policy, found by a process that is in it. */
  get cgroup(): string {
    const own = `phantoma-demo-${this.node.pid}-`;
    const mount = readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .find((line) => line.includes(" - cgroup2 "))!
      .split(" ")[4]!;
    return join(
      mount,
      readdirSync(mount).find((name) => name.startsWith(own))!,
    );
  }

  pids(unit: string): number[] {
    // A worker is in a cgroup of its own below its unit's.
    const own = readdirSync(join(this.cgroup, unit), { withFileTypes: true });
    const dirs = ["", ...own.filter((entry) => entry.isDirectory()).map(({ name }) => name)];
    return dirs.flatMap((dir) =>
      readFileSync(join(this.cgroup, unit, dir, "cgroup.procs"), "ascii")
        .split("\n")
        .filter(Boolean)
        .map(Number),
    );
  }

  /** As `warden status --json` reads it back from the kernel and the disk, whoever has the warden's ear. */
  async wardenStatus(): Promise<{ deviceListVersion: number; window: object | null }> {
    const pins = `/sys/fs/bpf/${basename(this.cgroup)}`;
    const { wardenDir, devicesDir } = this.paths;
    const place = ["--cgroup", this.cgroup, "--pins", pins];
    const memory = ["--state", wardenDir, "--identity", devicesDir];
    const { stdout } = await run(WARDEN, ["status", "--json", ...place, ...memory]);
    return JSON.parse(stdout) as { deviceListVersion: number; window: object | null };
  }

  /** Runs a program of an attacker's in a unit's cgroup; what it prints. */
  async as(unit: string, script: string): Promise<string> {
    const { stdout } = await run(ENTER, this.#entering(unit, script));
    return stdout.trim();
  }

  /** The same, while it runs; each line with the time at which it came. */
  start(unit: string, script: string): { lines: number[]; stop: () => void } {
    const child = spawn(ENTER, this.#entering(unit, script), {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines: number[] = [];
    child.stdout.on("data", () => lines.push(Date.now()));
    return { lines, stop: () => child.kill("SIGKILL") };
  }

  #entering(unit: string, script: string): string[] {
    const program = [process.execPath, "--input-type=module", "-e", script];
    return [unit, "--cgroup", this.cgroup, "--", ...program];
  }
}

const ENTER = join(nodeDir, "../../bpf/build/enter");
const CLI = join(nodeDir, "../cli/main.ts");
const WARDEN = join(nodeDir, "../../bpf/build/warden");

/** As an admin's program resolved it, or as an attacker would have an admin sign it. */
export function modelAt(path: string, change: Partial<ResolvedModel> = {}): ResolvedModel {
  return {
    path,
    digest: weightsDigest,
    bytes: weights.length,
    digestFrom: "host",
    endpoints: [
      { name: "models.test", address: places.models, port: 443 },
      { name: "cdn.test", address: places.cdn, port: 443 },
    ],
    ...change,
  };
}

export async function until<T>(
  look: () => Promise<T | undefined>,
  withinMs = PATIENCE_MS,
): Promise<T> {
  const late = Date.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (Date.now() > late) throw new Error("it did not come about in time");
    await sleep(100);
  }
}
