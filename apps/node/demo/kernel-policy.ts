/**
 * The kernel policy for a demo node: built where it can be, attached by a warden of this node's own to
 * cgroups of its own, and gone with the node. Where it cannot be, why not.
 *
 * @module
 */
import { execFile, execFileSync, spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

const bpfDir = fileURLToPath(new URL("../../../bpf", import.meta.url));
const WARDEN = join(bpfDir, "build/warden");
const ENTER = join(bpfDir, "build/enter");
const PINS = "/sys/fs/bpf";
/** Followed by the pid of the demo node's first process and when that began. */
const PREFIX = "phantoma-demo-";
/** Attaching takes a fraction of a second; a probe of a busy machine a few. */
const READY_TIMEOUT_MS = 20_000;
/** Between the warden's end and its next start, in milliseconds. */
const RESTART_MS = 200;

export interface KernelPolicyOptions {
  readonly wardenDir: string;
  readonly devicesDir: string;
  readonly socketPath: string;
  /** Where workers say their keys. */
  readonly witnessPath: string;
  /** The warden ended and could not be started again: the kernel still refuses, and nobody watches. */
  readonly onLost: () => void;
}

export class KernelPolicy {
  readonly #cgroup: string;
  readonly #pins: string;
  readonly #onLost: () => void;
  readonly #args: readonly string[];
  #warden: ChildProcess | undefined;
  #isStopping = false;

  /** @returns the policy in force, or why there is none */
  static async start(options: KernelPolicyOptions): Promise<KernelPolicy | string> {
    const obstacle = await obstacleHere();
    if (obstacle) return obstacle;
    try {
      const tree = cgroupTree()!;
      removeLeftovers(tree);
      const name = PREFIX + ownName();
      const policy = new KernelPolicy(options, join(tree, name), join(PINS, name));
      if (await policy.#launch()) return policy;
      await policy.stop();
      return "the warden could not put the kernel policy in force; its log says why";
    } catch (error) {
      return `the kernel policy could not be put in force: ${lastLine(error)}`;
    }
  }

  private constructor(options: KernelPolicyOptions, cgroup: string, pins: string) {
    this.#cgroup = cgroup;
    this.#pins = pins;
    this.#onLost = options.onLost;
    for (const path of [options.socketPath, options.witnessPath])
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#args = [
      // It ends with us, also when we are killed: what is left then, the next node removes.
      ["--pdeathsig", "TERM", WARDEN, "run", "--make-cgroup"],
      ["--cgroup", cgroup, "--pins", pins, "--state", options.wardenDir],
      ["--identity", options.devicesDir, "--socket", options.socketPath],
      ["--witness", options.witnessPath],
      // In place of those of systemd.
      ["--unix", `keeper=${options.socketPath}`, "--unix", `worker=${options.witnessPath}`],
    ].flat();
  }

  /** The command that runs a program in a unit's cgroup. */
  command(unit: string, ...program: string[]): [string, ...string[]] {
    return [ENTER, unit, "--cgroup", this.#cgroup, "--", ...program];
  }

  /** The gateway may answer on its port from now on. */
  async admitGateway(port: number): Promise<void> {
    const place = ["--cgroup", this.#cgroup, "--pins", this.#pins];
    const of = ["--of", join(this.#cgroup, "gateway")];
    await run(WARDEN, ["admit", "gateway", "--port", String(port), ...place, ...of]);
  }

  /** After every process of its units has ended. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const warden = this.#warden;
    if (warden && warden.exitCode === null && warden.signalCode === null) {
      warden.kill("SIGTERM");
      await new Promise((resolve) => warden.once("exit", resolve));
    }
    removePolicy(this.#cgroup, this.#pins);
  }

  /** @returns whether the policy is in force; from then on the warden is kept running */
  async #launch(): Promise<boolean> {
    const warden = spawn("setpriv", this.#args, { stdio: ["ignore", "pipe", "inherit"] });
    this.#warden = warden;
    const isReady = await new Promise<boolean>((resolve) => {
      const late = setTimeout(() => resolve(false), READY_TIMEOUT_MS);
      const settle = (isInForce: boolean) => {
        clearTimeout(late);
        resolve(isInForce);
      };
      createInterface(warden.stdout).once("line", (line) => settle(line === "ready"));
      warden.once("error", () => settle(false)).once("close", () => settle(false));
    });
    if (isReady) warden.once("exit", () => setTimeout(() => void this.#again(), RESTART_MS));
    return isReady;
  }

  /** What is pinned stays in force meanwhile. */
  async #again(): Promise<void> {
    if (this.#isStopping) return;
    if (!(await this.#launch()) && !this.#isStopping) this.#onLost();
  }
}

async function obstacleHere(): Promise<string | undefined> {
  if (process.platform !== "linux") return "the kernel policy needs Linux";
  if (process.getuid?.() !== 0) return "the kernel policy needs root";
  if (!cgroupTree()) return "no cgroup2 tree is mounted on this machine";
  try {
    if (!isMounted(PINS, "bpf"))
      execFileSync("mount", ["-t", "bpf", "bpf", PINS], { stdio: "pipe" });
  } catch (error) {
    return `no place for the kernel policy: ${lastLine(error)}`;
  }
  return build();
}

/** One builder at a time, however many demo nodes start together. */
async function build(): Promise<string | undefined> {
  try {
    await run("flock", [bpfDir, "make", "--silent", "-C", bpfDir]);
    return undefined;
  } catch (error) {
    if (existsSync(WARDEN) && existsSync(ENTER)) return undefined;
    return `the kernel policy is not built and cannot be built here; \`make -C bpf\` says what is missing: ${lastLine(error)}`;
  }
}

/** Where version 2 is mounted; a hybrid host has it beside version 1. */
function cgroupTree(): string | undefined {
  return mounts().find(({ type }) => type === "cgroup2")?.place;
}

function isMounted(place: string, type: string): boolean {
  return mounts().some((mount) => mount.place === place && mount.type === type);
}

function mounts(): { place: string; type: string }[] {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").trimEnd().split("\n");
  return lines.map((line) => {
    const [before = "", after = ""] = line.split(" - ");
    return { place: before.split(" ")[4] ?? "", type: after.split(" ")[0] ?? "" };
  });
}

/** Policies of demo nodes whose first process was killed: it could not remove them. */
function removeLeftovers(tree: string): void {
  for (const name of readdirSync(tree)) {
    const [, pid, began] = /^phantoma-demo-(\d+)-(\d+)$/.exec(name) ?? [];
    if (pid && began !== beganAt(pid)) removePolicy(join(tree, name), join(PINS, name));
  }
}

function removePolicy(cgroup: string, pins: string): void {
  if (existsSync(cgroup)) removeCgroup(cgroup);
  rmSync(pins, { recursive: true, force: true });
}

function foldersIn(dir: string) {
  return readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
}

/** Ends what still runs in it: nobody else's processes are ever there. */
function removeCgroup(dir: string): void {
  // A worker's own lies below its unit's.
  if (existsSync(dir)) for (const { name } of foldersIn(dir)) removeCgroup(join(dir, name));
  for (let tries = 0; tries < 20; tries += 1) {
    try {
      return rmdirSync(dir);
    } catch {
      for (const pid of pidsIn(dir)) kill(pid);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    }
  }
}

function pidsIn(dir: string): number[] {
  try {
    return readFileSync(join(dir, "cgroup.procs"), "ascii").split("\n").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    return;
  }
}

function ownName(): string {
  return `${process.pid}-${beganAt(String(process.pid))}`;
}

/** When a process began, in ticks since the boot: a pid comes again, this does not. */
function beganAt(pid: string): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // After the name in brackets, which may hold anything: state is field 3, this is field 22.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

function lastLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string | Buffer; message?: string };
  return (
    String(stderr ?? "")
      .trim()
      .split("\n")
      .at(-1) ||
    (message ?? String(error))
  );
}
