/**
 * A demo node on this machine, for a program that wants one: set up, paired, started, stopped.
 *
 * It runs the node's own processes; nothing of the node is in this one.
 *
 * @module
 */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import type { DeviceIdentity, VerifiedDeviceList } from "@phantoma/crypto";
import type { Model } from "@phantoma/protocol";
import { ClientError } from "./client-error.ts";
import { signFirstDeviceList } from "./devices/device-lists.ts";
import type { NodeProfile } from "./node-profile.ts";

const run = promisify(execFile);

export interface LocalNodeOptions {
  /** The folder of apps/node. */
  readonly nodeDir: string;
  /** Where state and sockets go; removed by {@link LocalNode.stop}. */
  readonly dir: string;
  readonly device: DeviceIdentity;
  readonly models: readonly { readonly path: string; readonly name?: string }[];
  /** Further flags of the gateway, such as `["--warm", "1"]`. */
  readonly gatewayFlags?: readonly string[];
  /** Node 24, where the running program is not Node itself. */
  readonly runtimePath?: string;
  /** Shows the node's log; otherwise only its last lines, when it fails. */
  readonly isVerbose?: boolean;
  /** Starts workers and clerks without cells, also where there could be some: to measure what they cost. */
  readonly isWithoutCells?: boolean;
  /** Starts without the kernel policy, also where there could be one: for the same reason. */
  readonly isWithoutPolicy?: boolean;
  /** Of the gateway, on 127.0.0.1; absent or 0 for any free one. */
  readonly port?: number;
  /** Gives up starting; nothing is left then. */
  readonly signal?: AbortSignal;
}

export class LocalNode {
  readonly profile: NodeProfile;
  readonly models: readonly Model[];
  /** The device list that was pinned: the beginning of the chain. */
  readonly devices: VerifiedDeviceList;
  readonly pid: number;
  /** Why there is no kernel policy; `undefined` where there is one. */
  readonly policyReason: string | undefined;
  readonly #child: ChildProcess;
  readonly #dir: string;

  /** @throws {@link ClientError} `ERR_LOCAL_NODE` */
  static async start(options: LocalNodeOptions): Promise<LocalNode> {
    const stateDir = join(options.dir, "state");
    assertShort(options.dir);
    mkdirSync(options.dir, { recursive: true, mode: 0o700 });
    const setup = (...args: string[]) => runSetup(options, stateDir, args);
    try {
      const { nodeKey, wardenKey, tlsCertificate } = await setup("init");
      const node = Buffer.from(nodeKey, "hex");
      const first = signFirstDeviceList(options.device, "this machine", node, Date.now());
      const listPath = join(options.dir, "devices-1.list");
      writeFileSync(listPath, first.list);
      await setup("pin-devices", "--list", listPath);
      const models: Model[] = [];
      for (const { path, name = basename(path, ".gguf") } of options.models)
        models.push(await setup("add-model", "--file", path, "--name", name));
      const { child, port, policy, why } = await startProcesses(options, stateDir);
      const url = `wss://127.0.0.1:${port}`;
      const profile: NodeProfile = {
        name: "demo",
        url,
        nodeKey,
        wardenKey,
        tlsCertificate,
        starter: "gateway",
        policy,
        // A demo node runs the tree it was started from, which is no release.
        release: "00".repeat(32),
      };
      return new LocalNode(options.dir, child, profile, models, first.verified, why);
    } catch (error) {
      rmSync(options.dir, { recursive: true, force: true });
      if (options.signal?.aborted)
        throw new ClientError("ERR_LOCAL_NODE", "starting the node was given up");
      if (error instanceof ClientError) throw error;
      const stderr = (error as { stderr?: string }).stderr?.trim();
      throw new ClientError("ERR_LOCAL_NODE", `set-up failed: ${stderr || String(error)}`);
    }
  }

  private constructor(
    dir: string,
    child: ChildProcess,
    profile: NodeProfile,
    models: readonly Model[],
    devices: VerifiedDeviceList,
    policyReason: string | undefined,
  ) {
    this.#dir = dir;
    this.#child = child;
    this.pid = child.pid!;
    this.profile = profile;
    this.models = models;
    this.devices = devices;
    this.policyReason = policyReason;
  }

  /** SHA-256 of the first model, 32 bytes. */
  get defaultModel(): Uint8Array {
    return Buffer.from(this.models[0]!.digest, "hex");
  }

  /** Ends every process of the node and removes what it kept. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill("SIGTERM");
      await new Promise((resolve) => this.#child.once("exit", resolve));
    }
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

/** Linux takes a socket's path of at most 107 bytes. */
const MAX_SOCKET_PATH_BYTES = 107;
/** The longest that a node makes below its folder. */
const LONGEST_SOCKET = "run/for-workers/reports.sock";

/** @throws {@link ClientError} `ERR_LOCAL_NODE` */
function assertShort(dir: string): void {
  const over = Buffer.byteLength(join(dir, LONGEST_SOCKET)) - MAX_SOCKET_PATH_BYTES;
  if (over > 0)
    throw new ClientError(
      "ERR_LOCAL_NODE",
      `the path of ${dir} is ${over} bytes too long for sockets; set TMPDIR to a shorter one`,
    );
}

async function runSetup(
  { nodeDir, runtimePath = process.execPath, signal }: LocalNodeOptions,
  stateDir: string,
  [command, ...rest]: string[],
) {
  signal?.throwIfAborted();
  const entry = join(nodeDir, "setup/main.ts");
  const running = run(runtimePath, [entry, command!, "--state", stateDir, ...rest]);
  // Not execFile's own signal: it would not wait for the end of a process that still writes.
  const giveUp = () => running.child.kill();
  signal?.addEventListener("abort", giveUp, { once: true });
  try {
    return JSON.parse((await running).stdout);
  } finally {
    signal?.removeEventListener("abort", giveUp);
  }
}

/** The last lines of a log that are shown when a node fails to start. */
const LOG_LINES = 20;

/** What the first process says when all of them are ready. */
interface Ready {
  readonly port: number;
  readonly policy: "none" | "demo";
  readonly why?: string;
}

function startProcesses(
  options: LocalNodeOptions,
  stateDir: string,
): Promise<Ready & { child: ChildProcess }> {
  const { nodeDir, dir, gatewayFlags = [], isVerbose, port: wantedPort = 0, signal } = options;
  const { runtimePath = process.execPath } = options;
  signal?.throwIfAborted();
  const paths = ["--state", stateDir, "--run", join(dir, "run")];
  const cellFlags = options.isWithoutCells ? ["--no-cell"] : [];
  const policyFlags = options.isWithoutPolicy ? ["--no-policy"] : [];
  const nodeFlags = [...paths, "--port", String(wantedPort), ...cellFlags, ...policyFlags];
  const flags = [...nodeFlags, "--", ...gatewayFlags];
  const child = spawn(runtimePath, [join(nodeDir, "demo/main.ts"), ...flags], {
    stdio: ["pipe", "pipe", "pipe"],
    // A session of its own: a Ctrl-C in the terminal is for the program, which then stops the node.
    detached: true,
  });
  const log: string[] = [];
  createInterface(child.stderr).on("line", (line) => {
    if (isVerbose) process.stderr.write(`${line}\n`);
    if (log.push(line) > LOG_LINES) log.shift();
  });
  const giveUp = () => child.kill("SIGTERM");
  signal?.addEventListener("abort", giveUp, { once: true });
  return new Promise((resolve, reject) => {
    createInterface(child.stdout).once("line", (line) => {
      signal?.removeEventListener("abort", giveUp);
      resolve({ child, ...(JSON.parse(line) as Ready) });
    });
    // Unlike "exit", it comes after the last line of the log.
    child.once("close", () => {
      const message = `the demo node ended at once:\n${log.join("\n")}`;
      reject(new ClientError("ERR_LOCAL_NODE", message));
    });
  });
}
