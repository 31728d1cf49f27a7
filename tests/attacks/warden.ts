/**
 * The real warden, with a policy of its own in a scratch cgroup; its events and counts are read as a keeper would.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { LineProcess } from "./lines.ts";

export interface WardenPaths {
  readonly program: string;
  readonly cgroup: string;
  readonly pins: string;
  readonly state: string;
  readonly socket: string;
  readonly identity: string;
}

export interface EgressEvent {
  readonly unit: string;
  readonly hook: string;
  readonly address: string;
  readonly port: number;
  readonly pid: number;
}

export interface Count {
  readonly unit: string;
  readonly attempts: number;
  readonly logged: number;
  readonly lost: number;
}

interface Status {
  readonly tiers: readonly string[];
  readonly missing: readonly { tier: string; reason: string }[];
  readonly fault: string | null;
  readonly counts: readonly Count[];
}

/** Between two looks at whether the ring has been read empty. */
const SETTLE_MS = 150;
const ANSWER_TRIES = 20;

export class Warden {
  readonly events: EgressEvent[] = [];
  readonly paths: WardenPaths;
  #process: LineProcess | undefined;
  #socket: Socket | undefined;
  #answer: string | undefined;
  readonly #service: string | undefined;

  /** @param service the unit that runs it, where systemd does */
  constructor(paths: WardenPaths, service?: string) {
    this.paths = paths;
    this.#service = service;
  }

  get pid(): number {
    if (!this.#service) return this.#process?.pid ?? 0;
    return Number(systemctl("show", "--property=MainPID", "--value", this.#service));
  }

  /** @param flags `--make-cgroup`, or none to find cgroup and pins as they are */
  async start(flags: readonly string[]): Promise<void> {
    if (this.#service) {
      systemctl("start", this.#service);
      return await this.connect();
    }
    const { program, cgroup, pins, state, socket, identity } = this.paths;
    mkdirSync(state, { recursive: true, mode: 0o700 });
    mkdirSync(identity, { recursive: true });
    // Nobody signs for this node here: it only has to have a name and a first device list.
    writeFileSync(join(identity, "node.pub"), randomBytes(32).toString("hex"));
    writeFileSync(join(identity, "genesis"), randomBytes(32).toString("hex"));
    const run = ["run", "--cgroup", cgroup, "--pins", pins, "--state", state];
    const files = ["--socket", socket, "--identity", identity];
    const args = [...run, ...files, ...flags];
    this.#process = await new LineProcess(program, args).ready();
    await this.connect();
  }

  /** Hears the events of a warden that somebody else started. */
  async connect(): Promise<void> {
    const socket = connect(this.paths.socket);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve).once("error", reject);
    });
    socket.on("error", () => {});
    createInterface({ input: socket }).on("line", (line) => {
      // Killed in the middle of a line, it has said half an event.
      if (line.startsWith("event ") && line.endsWith("}"))
        this.events.push(JSON.parse(line.slice(6)) as EgressEvent);
      else if (line.startsWith("ok {")) this.#answer = line.slice(3);
    });
    this.#socket = socket;
  }

  admit(unit: string, cgroup: string, port?: number): void {
    this.#command(["admit", unit, ...(port ? ["--port", String(port)] : []), "--of", cgroup], true);
  }

  /** @returns why the unit may not start; "" when it may */
  tryToAdmit(unit: string, cgroup: string): string {
    const { status, output } = this.#command(["admit", unit, "--of", cgroup], false);
    return status === 0 ? "" : output || "refused without a word";
  }

  /** What `warden verify` says: "" when the policy is in force. */
  verify(): string {
    const { status, output } = this.#command(["verify"], false);
    return status === 0 ? "" : output;
  }

  status(): Status {
    // It fails where the policy does not hold, and counts all the same.
    const { output } = this.#command(["status", "--json", "--state", this.paths.state], false);
    return JSON.parse(output.split("\n", 1)[0]!) as Status;
  }

  /** Its own word on its socket, which may be another than what a fresh look finds. */
  async ask(): Promise<Status> {
    this.#socket!.write("status\n");
    for (let tries = 0; tries < ANSWER_TRIES && !this.#answer; tries++) await sleep(SETTLE_MS);
    if (!this.#answer) throw new Error("the warden does not answer");
    return JSON.parse(this.#answer) as Status;
  }

  count(unit: string): Count {
    return (
      this.status().counts.find((count) => count.unit === unit) ?? {
        unit,
        attempts: 0,
        logged: 0,
        lost: 0,
      }
    );
  }

  /** Waits until no more events come. */
  async settle(): Promise<void> {
    for (let known = -1; known !== this.events.length; await sleep(SETTLE_MS))
      known = this.events.length;
  }

  /** Ends it as a crash would: nothing of it can clean up. */
  async kill(): Promise<void> {
    if (this.#service) systemctl("kill", "--signal=KILL", this.#service);
    this.#process?.kill("SIGKILL");
    await this.#process?.finish();
    this.#socket?.destroy();
  }

  async end(): Promise<void> {
    this.#socket?.destroy();
    await this.#process?.end();
  }

  #command(args: readonly string[], mustSucceed: boolean): { status: number; output: string } {
    const { program, cgroup, pins } = this.paths;
    const result = spawnSync(program, [...args, "--cgroup", cgroup, "--pins", pins], {
      encoding: "utf8",
      timeout: 120_000,
    });
    const output = `${result.stdout}${result.stderr}`.trim();
    const status = result.status ?? 1;
    if (mustSucceed && status !== 0) throw new Error(`warden ${args.join(" ")}: ${output}`);
    return { status, output: mustSucceed ? result.stdout : output };
  }
}

/** @throws with its words when it fails */
export function systemctl(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync("systemctl", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`systemctl ${args.join(" ")}: ${stderr.trim()}`);
  return stdout.trim();
}

/** The mount point of the version 2 hierarchy, which is not the same everywhere. */
export function cgroupMount(): string | undefined {
  return /^\S+ \S+ \S+ \S+ (\S+) .*- cgroup2 /m.exec(
    readFileSync("/proc/self/mountinfo", "utf8"),
  )?.[1];
}
