/**
 * The units of an installed node under systemd. Runs inside the guest, as root, and leaves the guest unusable.
 *
 * With the policy alone a cell joins a cgroup that has the name of the unit's. For the sandbox the unit itself is
 * started, from its own file, with the attempts in place of its program: a drop-in changes what is run and where
 * it reads and writes, and nothing else.
 *
 * @module
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Cells, lineOf, type Cell, type Outcome } from "./cell.ts";
import type { NodeUnderAttack } from "./node.ts";
import { UNKNOWN_UNIT } from "./rows.ts";
import { GATEWAY_PORT, outcomeIn, Stage, type UnitPlace } from "./stage.ts";
import { systemctl, Warden } from "./warden.ts";

const CGROUP = "/sys/fs/cgroup/phantoma.slice";
/** In every unit's view: its own release. */
export const VISIBLE_DIR = "/opt/phantoma/attack";
/** Input and output of the attempts; PID 1 opens them, so no unit has to see them. */
const EXCHANGE_DIR = "/run/phantoma-attack";
/** A unit that is started for a call takes this long on an emulated processor. */
const CALL_SECONDS = 60;

/**
 * Instances are named `attack`; the slice is what the policy knows them by. A cgroup that has units in it takes no
 * processes itself.
 */
const UNITS: Readonly<Record<string, { readonly service: string; readonly cgroup: string }>> = {
  worker: { service: "phantoma-worker@attack.service", cgroup: "phantoma-worker.slice/attack" },
  clerk: { service: "phantoma-clerk@attack.service", cgroup: "phantoma-clerk.slice/attack" },
  keeper: { service: "phantoma-keeper.service", cgroup: "phantoma-keeper.service" },
  gateway: { service: "phantoma-gateway.service", cgroup: "phantoma-gateway.service" },
  fetcher: { service: "phantoma-fetcher.service", cgroup: "phantoma-fetcher.service" },
  herald: { service: "phantoma-herald.service", cgroup: "phantoma-herald.service" },
};

/** Their sandbox leaves them a network. */
const NETWORK_UNITS = new Set(["gateway", "fetcher", "herald", UNKNOWN_UNIT]);

export async function openSystemdNode(): Promise<NodeUnderAttack> {
  // The node's own work would only be noise; hold and warden stay.
  systemctl("stop", "phantoma-gateway", "phantoma-worker.socket", "phantoma-clerk.socket");
  systemctl("stop", "phantoma-keeper");
  writeFileSync("/etc/phantoma/gateway.env", `PHANTOMA_PORT=${GATEWAY_PORT}\n`);
  mkdirSync(EXCHANGE_DIR, { recursive: true, mode: 0o700 });
  const attempts = join(VISIBLE_DIR, "attempts");
  const stage = await Stage.open(attempts, true);
  const warden = new Warden(
    {
      program: "/opt/phantoma/current/bin/warden",
      cgroup: CGROUP,
      pins: "/sys/fs/bpf/phantoma",
      state: "/var/lib/phantoma/warden",
      socket: "/run/phantoma/warden/warden.sock",
      identity: "/var/lib/phantoma/devices",
    },
    "phantoma-warden.service",
  );
  await warden.connect();
  const units = Object.keys(UNITS).filter((unit) => isInstalled(UNITS[unit]!.service));
  const prepare = (unit: string): void => {
    const path = join(CGROUP, UNITS[unit]?.cgroup ?? UNKNOWN_UNIT);
    if (existsSync(path)) return;
    mkdirSync(path, { recursive: true });
    if (unit !== UNKNOWN_UNIT)
      warden.admit(unit, path, unit === "gateway" ? GATEWAY_PORT : undefined);
  };
  const wardenPid = warden.pid;
  const place = (unit: string): UnitPlace => ({
    unit,
    cgroup: join(CGROUP, UNITS[unit]?.cgroup ?? UNKNOWN_UNIT),
    pins: warden.paths.pins,
    wardenPid,
  });
  const trySandbox = async (unit: string, cells: readonly Cell[]): Promise<Outcome[]> => {
    const accomplice = await stage.startAccomplice(cells[0]!);
    const inside = stage.insideArguments(place(unit), { uid: 0, accomplice });
    const outcomes: Outcome[] = [];
    // A cell that is called has a unit's start for itself: the far end cannot know when its turn comes. Nobody can
    // call where there is no network.
    const isCalled = ({ row }: Cell): boolean => row.call !== undefined && NETWORK_UNITS.has(unit);
    const called = cells.filter(isCalled).map((cell) => [cell]);
    for (const batch of [cells.filter((cell) => !isCalled(cell)), ...called]) {
      if (batch.length === 1) stage.callInto(batch[0]!, CALL_SECONDS);
      const { lines, complaint } = runUnit(unit, [attempts, ...inside], batch.map(lineOf));
      outcomes.push(...batch.map((cell) => outcomeIn(lines, cell, complaint)));
    }
    return outcomes;
  };
  return {
    stage,
    warden,
    cells: new Cells(),
    units: [...units, UNKNOWN_UNIT],
    networkUnits: NETWORK_UNITS,
    isSystemd: true,
    place,
    prepare,
    trySandbox,
    close: async () => {
      await warden.end();
      await stage.close();
    },
  };
}

/** Starts a unit with another program, and waits for it to end. */
function runUnit(
  unit: string,
  program: readonly string[],
  input: readonly string[],
): { lines: string[]; complaint: string } {
  const { service } = UNITS[unit]!;
  const inPath = join(EXCHANGE_DIR, `${unit}.in`);
  const outPath = join(EXCHANGE_DIR, `${unit}.out`);
  writeFileSync(inPath, input.map((line) => `${line}\n`).join(""), { mode: 0o600 });
  writeFileSync(outPath, "", { mode: 0o600 });
  const errorPath = join(EXCHANGE_DIR, `${unit}.err`);
  writeFileSync(errorPath, "", { mode: 0o600 });
  writeDropIn(service, program, [
    `StandardInput=file:${inPath}`,
    `StandardOutput=append:${outPath}`,
    `StandardError=append:${errorPath}`,
  ]);
  let complaint = "";
  try {
    systemctl("start", "--wait", "--job-mode=ignore-dependencies", service);
  } catch (error) {
    complaint = `${readFileSync(errorPath, "utf8").trim()} ${(error as Error).message}`;
  }
  rmSync(inPath);
  return { lines: readFileSync(outPath, "utf8").split("\n"), complaint };
}

/** The unit's own sandbox with another program in it. */
export function writeDropIn(
  service: string,
  program: readonly string[],
  further: readonly string[],
): void {
  const dir = `/run/systemd/system/${service}.d`;
  const path = join(dir, "attack.conf");
  // A unit that waits for work, as the fetcher for an order, is started without any.
  const lines = ["[Unit]", "ConditionPathExists=", "[Service]", "ExecStart=", "ExecStartPost="];
  const once = [`ExecStart=${program.join(" ")}`, "Restart=no", "Type=exec", ...further];
  const text = `${[...lines, ...once].join("\n")}\n`;
  if (existsSync(path) && readFileSync(path, "utf8") === text) return;
  mkdirSync(dir, { recursive: true });
  writeFileSync(path, text);
  systemctl("daemon-reload");
}

function isInstalled(service: string): boolean {
  return existsSync(join("/etc/systemd/system", service.replace("@attack", "@")));
}
