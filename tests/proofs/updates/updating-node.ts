/**
 * A machine with a node whose processes run from its installed release, and what PID 1 does there: it starts the
 * installer when the keeper has written its word, and the node again when another release is current.
 *
 * @module
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { signFirstDeviceList, type NodeProfile } from "@phantoma/client";
import type { DeviceIdentity } from "@phantoma/crypto";
import { APPROVAL_FILE, OFFER_FILE, POLICY_FILE } from "../../../apps/node/orders/update-files.ts";
import { LICENCE_KEYS_NAME } from "@phantoma/release";
import type { Bundle } from "../../../tools/bundle/bundle.ts";
import { Machine } from "../update/machine.ts";

/** What `phantoma-install.path` watches. */
const WORDS = [APPROVAL_FILE, OFFER_FILE, POLICY_FILE];
const WATCH_MS = 100;

export interface Ended {
  readonly version?: string | null;
  readonly error?: string;
  readonly advice?: string;
}

export class UpdatingNode {
  readonly machine: Machine;
  /** How each run of the installer ended, newest first. */
  readonly installed: Ended[] = [];
  readonly #dir: string;
  readonly #env: NodeJS.ProcessEnv;
  #child: ChildProcess | undefined;
  #port = 0;
  #watch: NodeJS.Timeout | undefined;
  #isBusy = false;
  #seen = "";

  /** @param authorityPath whom the herald believes beside Node's own list */
  constructor(dir: string, authorityPath: string) {
    this.#dir = dir;
    this.#env = { PATH: process.env["PATH"], NODE_EXTRA_CA_CERTS: authorityPath };
    this.machine = new Machine(join(dir, "root"), "");
  }

  get current(): string {
    return join(this.machine.root, "opt/phantoma/current");
  }

  /** Whose licences count, as the installer wrote it; `none` before. */
  get licenceKeys(): string {
    try {
      return readFileSync(join(this.machine.stateDir, "outcome", LICENCE_KEYS_NAME), "utf8");
    } catch {
      return "none";
    }
  }

  /** The first release, keys, the first device and the demo model. */
  begin(first: Bundle, device: DeviceIdentity): NodeProfile {
    const { stateDir } = this.machine;
    mkdirSync(stateDir, { recursive: true, mode: 0o755 });
    // Whoever sets a server up unpacks these two before there is a release.
    const unpacked = join(this.#dir, "unpacked");
    mkdirSync(unpacked);
    this.#run("tar", "-xzf", first.path, "-C", unpacked);
    const named = ["--bundle", first.path, "--sha256", first.sha256];
    this.#node(unpacked, "installer", "first", ...named, "--root", this.machine.root);
    const setup = (...args: string[]) =>
      JSON.parse(this.#node(this.current, "setup", ...args, "--state", stateDir));
    const { nodeKey, wardenKey, tlsCertificate } = setup("init");
    const list = join(this.#dir, "devices-1.list");
    const signed = signFirstDeviceList(device, "desk", Buffer.from(nodeKey, "hex"), Date.now());
    writeFileSync(list, signed.list);
    setup("pin-devices", "--list", list);
    setup("add-model", "--file", join(this.current, "models/demo/model.gguf"), "--name", "demo");
    return {
      name: "self",
      url: "",
      nodeKey,
      wardenKey,
      tlsCertificate,
      starter: "gateway",
      policy: "none",
      release: first.sha256,
    };
  }

  /** @returns where its gateway listens, at every start the same */
  async start(): Promise<string> {
    const paths = ["--state", this.machine.stateDir, "--run", join(this.#dir, "run")];
    const entry = join(this.current, "apps/node/demo/main.js");
    const flags = [
      entry,
      ...paths,
      "--port",
      String(this.#port),
      "--no-policy",
      "--",
      "--warm",
      "1",
    ];
    const child = spawn(join(this.current, "bin/node"), flags, {
      stdio: ["pipe", "pipe", "pipe"],
      env: this.#env,
    });
    this.#child = child;
    const log: string[] = [];
    createInterface(child.stderr).on("line", (line) => void log.push(line));
    const line = await new Promise<string>((resolve, reject) => {
      createInterface(child.stdout).once("line", resolve);
      child.once("close", () => reject(new Error(`the node ended:\n${log.slice(-9).join("\n")}`)));
    });
    this.#port = (JSON.parse(line) as { port: number }).port;
    return `wss://127.0.0.1:${this.#port}`;
  }

  watch(): void {
    this.#seen = this.#words();
    this.#watch = setInterval(() => void this.#look(), WATCH_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#watch);
    while (this.#isBusy) await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
    await this.#end();
  }

  async #look(): Promise<void> {
    const seen = this.#words();
    if (seen === this.#seen || this.#isBusy) return;
    this.#seen = seen;
    this.#isBusy = true;
    const before = this.machine.links().current;
    const proven = join(this.machine.root, "opt/phantoma/proven");
    const ended = await this.#install(proven);
    if (this.machine.links().current !== before) {
      await this.#end();
      await this.start();
    }
    this.installed.unshift(ended);
    this.#isBusy = false;
  }

  #words(): string {
    return WORDS.map((name) => mark(join(this.machine.stateDir, "updates", name))).join(" ");
  }

  #install(proven: string): Promise<Ended> {
    const entry = join(proven, "apps/node/installer/main.js");
    const args = [entry, "update", "--root", this.machine.root];
    const child = spawn(join(proven, "bin/node"), args, { stdio: ["ignore", "pipe", "ignore"] });
    let said = "";
    child.stdout.on("data", (part: Buffer) => (said += part.toString()));
    return new Promise((resolve) => child.once("close", () => resolve(JSON.parse(said) as Ended)));
  }

  async #end(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    await new Promise((resolve) => child.once("exit", resolve));
  }

  #node(releaseDir: string, role: string, ...args: string[]): string {
    return this.#run(
      join(releaseDir, "bin/node"),
      join(releaseDir, `apps/node/${role}/main.js`),
      ...args,
    );
  }

  #run(program: string, ...args: string[]): string {
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
    if (status !== 0) throw new Error(`${args.slice(0, 2).join(" ")}: ${stdout}${stderr}`);
    return stdout;
  }
}

function mark(path: string): string {
  try {
    // Its bytes as well: a word that is written again in one instant has the same time.
    return `${statSync(path).mtimeMs} ${readFileSync(path).toString("base64")}`;
  } catch {
    return "none";
  }
}
