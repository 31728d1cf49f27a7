/**
 * The drill: a real attempt to phone home from the place of every unit, which the kernel must refuse and the warden must
 * count. An attempt from outside the node shows that it is not the machine that refuses everything.
 *
 * @module
 */
import { mkdirSync, readdirSync, rmdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { CURRENT_DIR, StepError, type Machine } from "../machine.ts";
import type { Context, Step } from "../step.ts";

const SLICE = "/sys/fs/cgroup/phantoma.slice";
/** TEST-NET-1, which nobody has: RFC 5737. */
const NOWHERE = "192.0.2.7";
/** Seconds. The kernel refuses at once; the shell that asks may be slow to start beside an engine that loads. */
const REFUSAL_SECONDS = 15;
/** Seconds that an attempt gets which is to go out: nobody answers it. */
const OUTSIDE_SECONDS = 2;

/** Enters a control group, whose limit of tasks may be four, and tries. */
const ATTEMPT = `echo $$ > "$1/cgroup.procs" &&
exec timeout "$2" bash -c 'exec 3<>/dev/tcp/${NOWHERE}/443'`;
const REFUSED = /Operation not permitted|Permission denied/;

/** A worker or a clerk may end just as somebody tries from it, and counts as a stranger then: the next one is tried. */
const PLACE_TRIES = 5;
/** Milliseconds until the first worker is there; its engine is being loaded. */
const WORKER_MS = 120_000;

const statusSchema = z.object({
  counts: z.array(z.object({ unit: z.string(), attempts: z.int().nonnegative() })).max(64),
});
/** The check tries a connection of its own, and can meet the warden's own check of that minute. */
const VERIFY_TRIES = 5;
const VERIFY_MS = 2_000;

export const drill: Step = {
  name: "drill",
  // Shown every time, whatever it showed before.
  probe: ({ machine }) => !machine.isLive || passed.has(machine),
  async apply(context) {
    const { machine } = context;
    if (await isRefused(machine, "/sys/fs/cgroup", OUTSIDE_SECONDS))
      throw new StepError("this machine refuses every connection, so the drill shows nothing");
    for (const unit of ["gateway", "keeper", "warden", "hold"])
      await tryFrom(context, unit, () => `${SLICE}/phantoma-${unit}.service`);
    await firstWorker(machine);
    // Clerks come with a connection.
    for (const unit of ["worker", "clerk"])
      if (instanceIn(machine, unit) !== undefined)
        await tryFrom(context, unit, () => instanceIn(machine, unit));
    // A place that nobody has heard of is refused as well.
    const stranger = machine.path(`${SLICE}/phantoma-drill`);
    mkdirSync(stranger, { recursive: true });
    try {
      await tryFrom(context, "unknown", () => stranger);
    } finally {
      rmdirSync(stranger);
    }
    if (!(await isInForce(machine))) throw new StepError("the kernel policy is not in force");
    passed.add(machine);
  },
  list: () => [],
  undo: () => undefined,
};

/** In this run. */
const passed = new WeakSet<Machine>();

/** Hold is registered for nothing, so what it tries is counted with strangers'. */
async function tryFrom(
  { machine, tell }: Context,
  unit: string,
  place: () => string | undefined,
): Promise<void> {
  const counted = unit === "hold" ? "unknown" : unit;
  let isBlocked = false;
  let isCounted = false;
  for (let tries = 0; !isCounted && tries < PLACE_TRIES; tries += 1) {
    const before = await attemptsOf(machine, counted);
    const dir = place();
    isBlocked = dir !== undefined && (await isRefused(machine, dir, REFUSAL_SECONDS));
    isCounted = isBlocked && (await attemptsOf(machine, counted)) > before;
    // A place that is there and refuses nothing is what the drill looks for.
    if (!isBlocked && dir !== undefined && machine.has(dir)) break;
  }
  tell({ kind: "drill", unit, isBlocked, isCounted });
  if (!isBlocked || !isCounted)
    throw new StepError(
      `an attempt from the ${unit} was ${isBlocked ? "not counted" : "not refused"}`,
    );
}

async function isRefused(machine: Machine, cgroup: string, seconds: number): Promise<boolean> {
  const args = ["-c", ATTEMPT, "drill", cgroup, String(seconds)];
  const { code, complained } = await machine.end("sh", args);
  return code !== 0 && REFUSED.test(complained) && complained.includes("/dev/tcp/");
}

async function firstWorker(machine: Machine): Promise<void> {
  const late = Date.now() + WORKER_MS;
  while (instanceIn(machine, "worker") === undefined) {
    if (Date.now() > late) throw new StepError("no worker came up");
    await sleep(1_000);
  }
}

function instanceIn(machine: Machine, unit: string): string | undefined {
  const dir = `${SLICE}/phantoma-${unit}.slice`;
  if (!machine.has(dir)) return undefined;
  const name = readdirSync(dir).find((entry) => entry.endsWith(".service"));
  return name === undefined ? undefined : `${dir}/${name}`;
}

/** What the kernel has counted; whether all of the policy is in force is asked at the end. */
async function attemptsOf(machine: Machine, unit: string): Promise<number> {
  const { said } = await machine.end(`${CURRENT_DIR}/bin/warden`, ["status", "--json"]);
  const status = statusSchema.safeParse(JSON.parse(said || "null"));
  if (!status.success) throw new StepError("the warden says nothing");
  return status.data.counts.find((count) => count.unit === unit)?.attempts ?? 0;
}

async function isInForce(machine: Machine): Promise<boolean> {
  for (let tries = 0; tries < VERIFY_TRIES; tries += 1) {
    if (await machine.succeeds(`${CURRENT_DIR}/bin/warden`, "verify")) return true;
    await sleep(VERIFY_MS);
  }
  return false;
}
