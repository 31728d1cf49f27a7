/**
 * The part of provisioning that runs on the server, by the uploaded Node: steps and their journal. It imports nothing of
 * the part that signs in.
 *
 * @module
 */
import type { Step } from "./step.ts";
import { drill } from "./steps/drill.ts";
import { firewall, openAgain } from "./steps/firewall.ts";
import { memory, reboot } from "./steps/freed-memory.ts";
import { kernel } from "./steps/kernel.ts";
import { devices, identity, model } from "./steps/node.ts";
import { release } from "./steps/release.ts";
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
