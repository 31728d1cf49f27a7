/**
 * The matrix on this machine: the real warden with a policy of its own, units as a demo node has them.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Cells, type Cell, type Outcome } from "./cell.ts";
import { confinementOf } from "./confinement.ts";
import { runControl } from "./control.ts";
import { assignEvents, countFrames, tryAll } from "./matrix.ts";
import type { Results } from "./report.ts";
import { UNITS, UNKNOWN_UNIT, type Row } from "./rows.ts";
import { GATEWAY_PORT, Stage, type UnitPlace } from "./stage.ts";
import { runTrials } from "./trials.ts";
import { appliesTo, controlVerdict, judge } from "./verdict.ts";
import { Warden } from "./warden.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const enter = join(root, "bpf/build/enter");

/** Their sandbox has a network; the others' is an empty namespace. */
const NETWORK_UNITS = new Set(["gateway", "fetcher", UNKNOWN_UNIT]);

export interface NativeNode {
  readonly stage: Stage;
  readonly warden: Warden;
  readonly cells: Cells;
  readonly place: (unit: string) => UnitPlace;
  readonly close: () => Promise<void>;
}

/** Network, warden and admitted units; what `place` says of a unit is where its cells run. */
export async function openNode(attempts: string, say: (text: string) => void): Promise<NativeNode> {
  mountBpf();
  const stage = await Stage.open(attempts);
  const cgroup = join(stage.mount, `phantoma-demo-${stage.id}`);
  const warden = new Warden({
    program: join(root, "bpf/build/warden"),
    cgroup,
    pins: `/sys/fs/bpf/phantoma-demo-${stage.id}`,
    state: join(stage.dir, "warden"),
    socket: join(stage.dir, "warden.sock"),
    identity: join(stage.dir, "devices"),
  });
  const unknown = join(cgroup, UNKNOWN_UNIT);
  const close = async (): Promise<void> => {
    if (existsSync(unknown)) rmdirSync(unknown);
    await warden.end();
    await stage.close();
  };
  try {
    await warden.start(["--make-cgroup"]);
    warden.admit("gateway", join(cgroup, "gateway"), GATEWAY_PORT);
    mkdirSync(unknown);
    const confinements = new Map(UNITS.map((unit) => [unit as string, confine(stage, unit, say)]));
    const place = (unit: string): UnitPlace => {
      const confine = confinements.get(unit);
      return {
        unit,
        cgroup: join(cgroup, unit),
        pins: warden.paths.pins,
        wardenPid: warden.pid,
        enter,
        ...(confine && { confine }),
      };
    };
    return { stage, warden, cells: new Cells(), place, close };
  } catch (error) {
    await close();
    throw error;
  }
}

export async function runNative(
  node: NativeNode,
  rows: readonly Row[],
  units: readonly string[],
  say: (text: string) => void,
): Promise<Results> {
  const { stage, warden, cells, place } = node;
  say("control, outside every policy …");
  const pins = warden.paths.pins;
  const controls = await runControl(stage, cells, rows, { pins, wardenPid: warden.pid });
  say("every row from every unit, with the policy alone and in its sandbox …");
  const wanted = units.flatMap((unit) =>
    (["policy", "sandbox"] as const).flatMap((mode) =>
      rows
        .filter((row) => appliesTo(row, unit, mode, false))
        .map((row) => cells.make(row, unit, mode)),
    ),
  );
  const outcomes = await tryAll(
    wanted,
    async (cell: Cell) => await stage.try(cell, place(cell.unit)),
  );
  await stage.settle();
  await warden.settle();
  const { tiers, missing, counts } = warden.status();
  for (const { tier, reason } of missing) say(`without the tier ${tier}: ${reason}`);
  const trials = await runTrials(node, say);
  await stage.settle();
  const missedFrames = await stage.closeSniffer();
  const all = [...controls, ...outcomes];
  const strays = countFrames(all, stage.frames, cells.byCanary);
  assignEvents(outcomes, warden.events);
  const absentRows = new Set(
    controls
      .filter((control) => controlVerdict(control) === "absent")
      .map(({ cell }) => cell.row.id),
  );
  const verdicts = units.flatMap((unit) =>
    rows
      .map((row) => [row, ofCell(outcomes, row, unit)] as const)
      .filter(([, cells]) => cells.length > 0)
      .map(([row, cells]) =>
        judge(row, unit, cells, {
          tiers,
          absentRows,
          lost: counts.find((count) => count.unit === unit)?.lost ?? 0,
          hasNetwork: NETWORK_UNITS.has(unit),
        }),
      ),
  );
  const miscounts = [...counts, ...warden.status().counts]
    .filter(({ attempts, logged, lost }) => attempts !== logged + lost)
    .map((count) => JSON.stringify(count));
  return { controls, verdicts, trials, strays, missedFrames, miscounts };
}

function ofCell(outcomes: readonly Outcome[], row: Row, unit: string): Outcome[] {
  return outcomes.filter(({ cell }) => cell.row.id === row.id && cell.unit === unit);
}

function confine(stage: Stage, unit: string, say: (text: string) => void): string | undefined {
  const found = confinementOf(join(root, "apps/node/units"), unit);
  if ("why" in found) {
    say(`${unit}: without its system call filter, because ${found.why}`);
    return undefined;
  }
  const path = join(stage.dir, `confine-${unit}`);
  writeFileSync(path, found.text);
  return path;
}

/** Not every machine has it mounted where no systemd runs. */
function mountBpf(): void {
  const isMounted = spawnSync("findmnt", ["-t", "bpf", "/sys/fs/bpf"]).status === 0;
  if (!isMounted) spawnSync("mount", ["-t", "bpf", "bpf", "/sys/fs/bpf"]);
}
