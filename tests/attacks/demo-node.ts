/**
 * The units of a demo node on this machine: the real warden with a policy of its own, `enter` for each unit, and
 * the system call filters of the units' files.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Cells } from "./cell.ts";
import { confinementOf } from "./confinement.ts";
import type { NodeUnderAttack, Say } from "./node.ts";
import { UNKNOWN_UNIT } from "./rows.ts";
import { GATEWAY_PORT, Stage, type UnitPlace } from "./stage.ts";
import { Warden } from "./warden.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const enter = join(root, "bpf/build/enter");

/** Each has a folder of its own below the policy's root. */
const UNITS = ["worker", "clerk", "keeper", "gateway", "fetcher", "herald"];
export const demoUnits: readonly string[] = [...UNITS, UNKNOWN_UNIT];

export async function openDemoNode(attempts: string, say: Say): Promise<NodeUnderAttack> {
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
    const confinements = new Map(UNITS.map((unit) => [unit, confine(stage, unit, say)]));
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
    return {
      stage,
      warden,
      cells: new Cells(),
      units: demoUnits,
      networkUnits: new Set(["gateway", "fetcher", "herald", UNKNOWN_UNIT]),
      isSystemd: false,
      place,
      prepare: () => undefined,
      trySandbox: async (unit, cells) => await stage.try(cells, place(unit)),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function confine(stage: Stage, unit: string, say: Say): string | undefined {
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
