/**
 * A node whose devices are all lost becomes another one: its keys, its list of devices and every order to it go, and
 * whoever can sign in as root names the first device of the new one. Release and models stay.
 *
 * @module
 */
import { readdirSync } from "node:fs";
import { SETUP_DIR, STATE_DIR, StepError, type Machine } from "../machine.ts";
import type { Step } from "../step.ts";
import { IDENTITY_FILE, NEXT_DIR } from "./node.ts";
import { stopAll } from "./start.ts";

/** Which reset was the last one: the same is not done twice. */
const RESET_FILE = `${SETUP_DIR}/reset`;
/** Each belongs to the old identity: its keys, who may use it, what it was told, what it had under way. */
const EMPTIED = [
  "keeper",
  "gateway",
  "warden",
  "devices",
  "orders",
  "incoming",
  "quarantine",
  "herald",
  "updates",
] as const;
/** The installer keeps whom it trusts and how far it came. */
const FORGOTTEN = [
  `${STATE_DIR}/installer/devices-seen`,
  `${SETUP_DIR}/${IDENTITY_FILE}`,
  NEXT_DIR,
];

export const reset: Step = {
  name: "reset",
  probe: ({ machine, order }) =>
    order.resetId !== undefined && machine.read(RESET_FILE) === order.resetId,
  async apply({ machine, order: { resetId } }) {
    if (resetId === undefined) throw new StepError("nobody said which reset this is");
    await stopAll(machine);
    for (const name of EMPTIED) empty(machine, `${STATE_DIR}/${name}`);
    for (const path of FORGOTTEN) machine.remove(path);
    machine.write(RESET_FILE, resetId, 0o600);
  },
  list: () => [],
  undo: () => undefined,
};

/** The folder stays: it has its owner. */
function empty(machine: Machine, dir: string): void {
  if (!machine.has(dir)) return;
  for (const name of readdirSync(machine.path(dir))) machine.remove(`${dir}/${name}`);
}
