/**
 * The part of provisioning that runs on the server, by the uploaded Node: steps and their journal. It imports nothing of
 * the part that signs in.
 *
 * @module
 */
import type { OperationName } from "../step-names.ts";
import type { Step } from "./step.ts";
import { drill } from "./steps/drill.ts";
import { firewall, openAgain } from "./steps/firewall.ts";
import { memory, reboot } from "./steps/freed-memory.ts";
import { kernel } from "./steps/kernel.ts";
import { devices, identity, model } from "./steps/node.ts";
import { release } from "./steps/release.ts";
import { reset } from "./steps/reset.ts";
import { rollback } from "./steps/rollback.ts";
import { rotate } from "./steps/rotate.ts";
import { ssh } from "./steps/ssh.ts";
import { start } from "./steps/start.ts";
import { folders, settings, units, users } from "./steps/system-files.ts";

export { orderSchema, type Order } from "../journal.ts";
export { JournalFile } from "./journal-file.ts";
export { Machine, SETUP_DIR } from "./machine.ts";
export { openAgain };
export { install, listOf, uninstall } from "./run-steps.ts";

/** In their order; `step-names.ts` has the words for them. */
export const steps: readonly Step[] = [
  release,
  users,
  folders,
  settings,
  units,
  identity,
  devices,
  model,
  kernel,
  memory,
  reboot,
  firewall,
  start,
  drill,
  ssh,
];

/** What a rotation gives up that has not begun to put the next key in place. */
export const abandonedSteps: readonly Step[] = [rotate];

/** To a node that stands; what follows is whatever of a set-up that may have changed. */
export const operationSteps: Readonly<Record<OperationName, readonly Step[]>> = {
  rollback: [rollback, users, folders, settings, units, start],
  rotate: [rotate, identity, start, drill],
  reset: [reset, folders, identity, devices, model, start, drill],
};
