/**
 * Everything around the attempts: the network, the sniffer at its far end, who answers and calls there, and the
 * broker outside. Whatever is made here is removed by `close`, also after Ctrl-C.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { lineOf, readReport, type Cell, type Outcome, type Report } from "./cell.ts";
import { LineProcess } from "./lines.ts";
import { makeNetwork, type Network } from "./network.ts";
import { cgroupMount } from "./warden.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The port that a gateway may answer at. */
export const GATEWAY_PORT = 17_443;
/** As in attempts.h. */
const FIRST_OWN_PORT = 20_000;
/** Past the attempt's own end and the start of two programs on a busy machine. */
const CELL_MS = 15_000;
/** For the link's own first messages to be over before anything is counted. */
const LINK_SETTLE_MS = 1_500;
/** A frame that left by then is seen. */
const FRAME_SETTLE_MS = 700;
const ANYBODY = 65_534;
/** Most of their time is waiting, and the machine has other work. */
const LAUNCHES_AT_ONCE = 6;
/** Each attempt ends itself by then. */
const ATTEMPT_SECONDS = 2;
/** What a guest without KVM needs on a machine that has other work. */
const SLOW = 8;
/** As long as a cell listens. */
const CALL_SECONDS = 1;
/** Long enough for a program that has a list of its own to work through. */
const STRANGER_MS = 60_000;

/** Where the cells of one unit run. */
export interface UnitPlace {
  readonly unit: string;
  /** The unit's cgroup; for `control` a cgroup that no policy knows. */
  readonly cgroup: string;
  readonly pins: string;
  readonly wardenPid: number;
  /** For `sandbox`: the program that builds it, and the file of system call filters if there is one. */
  readonly enter?: string;
  readonly confine?: string;
}

/** Ends at whichever comes first. */
interface Flood {
  readonly count?: number;
  readonly seconds: number;
  readonly pauseUs?: number;
}

export class Stage {
  readonly id: string;
  readonly dir: string;
  readonly mount: string;
  readonly attempts: string;
  /** How many times as long as on a quiet machine anything may take: an emulated processor is slow. */
  readonly slowness: number;
  readonly #network: Network;
  readonly #cgroups: string[] = [];
  readonly #helpers: LineProcess[] = [];
  #sniffer!: LineProcess;
  #outside!: LineProcess;

  private constructor(attempts: string, isNearHost: boolean) {
    this.mount = cgroupMount() ?? "";
    this.attempts = attempts;
    this.slowness = isNearHost ? SLOW : 1;
    // Under systemd /tmp is each unit's own; what other programs offer there is in /run.
    this.dir = mkdtempSync(join(isNearHost ? "/run" : tmpdir(), "phantoma-attacks-"));
    // Anybody has to reach the broker, as anybody reaches a broker that there really is.
    chmodSync(this.dir, 0o755);
    this.id = basename(this.dir).slice(-6);
    this.#network = makeNetwork(this.id, isNearHost);
  }

  static async open(attempts: string, isNearHost = false): Promise<Stage> {
    const stage = new Stage(attempts, isNearHost);
    try {
      const { nearPath, farPath } = stage.#network;
      mkdirSync(stage.brokerDir);
      chmodSync(stage.brokerDir, 0o755);
      stage.#outside = await stage.#help(farPath, "outside");
      await stage.#help(nearPath, "broker", stage.brokerDir);
      await sleep(LINK_SETTLE_MS);
      stage.#sniffer = await stage.#help(farPath, "sniff", "v1");
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  get brokerDir(): string {
    return join(this.dir, "broker");
  }

  get nearPath(): string {
    return this.#network.nearPath;
  }

  /** Every frame that has arrived at the far end, in hexadecimal. */
  get frames(): readonly string[] {
    return this.#sniffer.lines;
  }

  makeCgroup(name: string): string {
    const path = join(this.mount, name);
    mkdirSync(path, { recursive: true });
    this.#cgroups.push(path);
    return path;
  }

  /** Lets what is on its way arrive. */
  async settle(): Promise<void> {
    await sleep(FRAME_SETTLE_MS * Math.min(this.slowness, 4));
  }

  /** Tries cells of one place: together where nothing has to be prepared for them. */
  async try(cells: readonly Cell[], place: UnitPlace): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    const waiting = batches(cells).values();
    const turns = Array.from({ length: LAUNCHES_AT_ONCE }, async () => {
      for (const batch of waiting) {
        const [first] = batch;
        this.callInto(first, CALL_SECONDS * this.slowness);
        const confine = first.mode === "sandbox" ? place.confine : undefined;
        const inside = this.insideArguments(place, { uid: uidOf(first), confine });
        if (first.row.isRoot && first.mode === "policy") inside.push("--keep-capabilities");
        const timeoutMs = CELL_MS + batch.length * ATTEMPT_SECONDS * 1000;
        const { output, complaint } = await this.#launch(batch, place, inside, timeoutMs);
        outcomes.push(...batch.map((cell) => outcomeIn(output, cell, complaint)));
      }
    });
    await Promise.all(turns);
    return outcomes;
  }

  /** Arguments of the inside part. */
  insideArguments(
    place: UnitPlace,
    further: Readonly<Record<string, string | number | undefined>>,
  ): string[] {
    const options = {
      broker: this.brokerDir,
      netns: this.nearPath,
      link: "v0",
      cgroup: place.cgroup,
      "cgroup-root": this.mount,
      pins: place.pins,
      warden: place.wardenPid,
      "own-port": GATEWAY_PORT,
      seconds: ATTEMPT_SECONDS * this.slowness,
      ...further,
    };
    const given = Object.entries(options).filter(([, value]) => value !== undefined);
    return ["inside", ...given.flatMap(([name, value]) => [`--${name}`, String(value)])];
  }

  /** Has the far end call a cell that listens. */
  callInto({ row: { call }, number }: Cell, seconds: number): void {
    if (!call) return;
    const port = call.isOwnPort ? GATEWAY_PORT : FIRST_OWN_PORT + number;
    this.#outside.say(`call ${number} ${call.family} ${port} ${seconds}`);
  }

  /** Somebody outside every policy, for units that PID 1 starts. @returns its pid */
  async startAccomplice({ number }: Cell): Promise<number> {
    return (await this.#help(this.nearPath, "accomplice", String(number))).pid;
  }

  /** Floods from a unit's cgroup. @returns how many attempts it made, and how many came back as refused */
  async flood(
    cell: Cell,
    place: UnitPlace,
    { count = Number.MAX_SAFE_INTEGER, seconds, pauseUs = 0 }: Flood,
  ): Promise<{ tried: number; refused: number }> {
    const { output, complaint } = await this.#launch(
      [cell],
      place,
      ["flood", ...[count, seconds, ANYBODY, pauseUs].map(String)],
      (seconds + 10) * 1000,
    );
    const match = output.map((line) => /^flood (\d+) (\d+)$/.exec(line)).find(Boolean);
    if (!match) throw new Error(`the flood said nothing: ${complaint}`);
    return { tried: Number(match[1]), refused: Number(match[2]) };
  }

  /** Runs somebody else's program in a unit's place. */
  async runStranger(
    cell: Cell,
    place: UnitPlace,
    program: string,
  ): Promise<{ output: readonly string[]; complaint: string }> {
    const confine = cell.mode === "sandbox" && place.confine ? ["--confine", place.confine] : [];
    const inside = ["stranger", "--uid", String(uidOf(cell)), ...confine, program];
    return await this.#launch([cell], place, inside, STRANGER_MS);
  }

  /** @returns frames that the sniffer could not hold */
  async closeSniffer(): Promise<number> {
    await this.#sniffer.end();
    const last = this.#sniffer.lines.at(-1) ?? "";
    return Number(/^dropped (\d+)$/.exec(last)?.[1] ?? 1);
  }

  async close(): Promise<void> {
    await Promise.all(this.#helpers.map(async (helper) => await helper.end()));
    this.#network.remove();
    for (const cgroup of this.#cgroups.toReversed()) removeCgroup(cgroup);
    rmSync(this.dir, { recursive: true, force: true });
  }

  async #help(namespacePath: string, ...args: string[]): Promise<LineProcess> {
    const helper = new LineProcess("nsenter", [`--net=${namespacePath}`, this.attempts, ...args]);
    this.#helpers.push(helper);
    return await helper.ready();
  }

  async #launch(
    cells: Batch,
    place: UnitPlace,
    inside: readonly string[],
    timeoutMs: number,
  ): Promise<{ output: readonly string[]; complaint: string }> {
    const where = [cells[0].mode, this.nearPath, place.cgroup, place.enter ?? "-", place.unit];
    const process = new LineProcess(this.attempts, ["launch", ...where, "--", ...inside]);
    const timer = setTimeout(() => process.kill("SIGKILL"), timeoutMs * this.slowness);
    for (const cell of cells) process.say(lineOf(cell));
    const output = await process.finish();
    clearTimeout(timer);
    return { output, complaint: process.complaint.trim() };
  }
}

type Batch = readonly [Cell, ...Cell[]];

/** Cells of one user and with the same rights together, but for those that need the launch, or the far end, to themselves. */
function batches(cells: readonly Cell[]): Batch[] {
  const isAlone = ({ row }: Cell): boolean => row.isPrepared === true || row.call !== undefined;
  const together = Map.groupBy(
    cells.filter((cell) => !isAlone(cell)),
    (cell) => `${uidOf(cell)} ${cell.row.isRoot}`,
  );
  return [
    ...together.values(),
    ...cells.filter(isAlone).map((cell) => [cell]),
  ] as unknown as Batch[];
}

/** What the inside part's lines say of a cell. */
export function outcomeIn(lines: readonly string[], cell: Cell, complaint: string): Outcome {
  const found = lines.map(readReport).find((report) => report?.number === cell.number);
  const none: Report = { step: "none", error: complaint || "no answer", pid: 0 };
  return { cell, report: found?.report ?? none, frames: 0, hooks: new Set() };
}

/** @returns the program's path. @throws when it does not compile, with the compiler's words */
export function buildAttempts(): string {
  const result = spawnSync("make", ["-s", "-C", join(root, "tests/attacks/attempts")], {
    encoding: "utf8",
  });
  if (result.status !== 0) throw new Error(`the attempts do not compile: ${result.stderr}`);
  return join(root, ".cache/attacks/attempts");
}

function uidOf({ mode, row }: Cell): number {
  // What the sandbox starts has no right left to change its user with.
  if (mode === "sandbox") return 0;
  return mode === "control" && (row.isRoot || row.isControlRoot) ? 0 : ANYBODY;
}

function removeCgroup(path: string): void {
  if (!existsSync(path)) return;
  try {
    rmdirSync(path);
  } catch {
    // Somebody is still in it; the next run has another name, and the message of the kernel helps nobody.
  }
}
