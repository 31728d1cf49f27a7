/**
 * The node's units: on now and at every boot.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { StepError, type Machine } from "../machine.ts";
import type { Step } from "../step.ts";

/** In the order of their start. */
const UNITS = [
  "phantoma-hold.service",
  "phantoma-warden.service",
  "phantoma-keeper.service",
  "phantoma-worker.socket",
  "phantoma-clerk.socket",
  "phantoma-fetcher.path",
  "phantoma-install.path",
  "phantoma-gateway.service",
  "phantoma-doctor.timer",
] as const;

/** Besides: at a boot it finishes an update that was cut off. */
const ENABLED = [...UNITS, "phantoma-install.service"] as const;

/** Also what these start. */
const ALL = "phantoma-*";
const OURSELVES = "phantoma-setup.service";

export const start: Step = {
  name: "start",
  async probe({ machine }) {
    if (!(await isEach(machine, "is-enabled", "enabled", ENABLED))) return false;
    return !machine.isLive || areActive(machine);
  },
  async apply({ machine }) {
    const flags = machine.isLive ? [] : [`--root=${machine.root}`];
    await machine.run("systemctl", ...flags, "--quiet", "enable", ...ENABLED);
    if (!machine.isLive) return;
    for (const unit of UNITS) await machine.run("systemctl", "start", unit);
    for (let tries = 0; tries < SETTLE_TRIES && !(await areActive(machine)); tries += 1)
      await sleep(SETTLE_MS);
  },
  list: () => [],
  async undo({ machine }) {
    const flags = machine.isLive ? [] : [`--root=${machine.root}`];
    const there = ENABLED.filter((unit) => machine.has(`/etc/systemd/system/${unit}`));
    if (there.length > 0) await machine.run("systemctl", ...flags, "--quiet", "disable", ...there);
    if (!machine.isLive) return;
    await stopAll(machine);
  },
};

/** Everything of the node's, and nothing else; it does not start by itself again before it is told to. */
export async function stopAll(machine: Machine): Promise<void> {
  if (!machine.isLive) return;
  // What starts others goes first; then everything that they started, and the slice with the policy last.
  await machine.succeeds(
    "systemctl",
    "stop",
    ...ENABLED.filter((unit) => !unit.endsWith(".service")),
  );
  for (const isSlice of [false, true]) {
    const names = (await loaded(machine)).filter((name) => name.endsWith(".slice") === isSlice);
    if (names.length > 0) await machine.succeeds("systemctl", "stop", ...names);
  }
  await machine.succeeds("systemctl", "reset-failed", ALL);
  const [left] = await loaded(machine, "--state=active,activating,deactivating");
  if (left !== undefined) throw new StepError(`${left} does not stop`);
}

/** Seconds in which a unit that dies at its start has died. */
const SETTLE_TRIES = 30;
const SETTLE_MS = 1_000;

function areActive(machine: Machine): Promise<boolean> {
  return isEach(machine, "is-active", "active", UNITS);
}

/** systemctl itself is content with one of them. */
async function isEach(
  machine: Machine,
  question: string,
  answer: string,
  units: readonly string[],
): Promise<boolean> {
  const flags = machine.isLive ? [] : [`--root=${machine.root}`];
  const { said } = await machine.end("systemctl", [...flags, question, ...units]);
  const answers = said.trim().split("\n");
  return answers.length === units.length && answers.every((line) => line === answer);
}

async function loaded(machine: Machine, ...flags: string[]): Promise<string[]> {
  const list = ["list-units", "--plain", "--no-legend", "--all", ...flags];
  const said = await machine.run(
    "systemctl",
    ...list,
    ALL,
    "phantoma.slice",
    "systemd-journald*@phantoma*",
  );
  return said
    .split("\n")
    .map((line) => line.trim().split(/\s+/)[0] ?? "")
    .filter((name) => name.includes("phantoma") && name !== OURSELVES);
}
