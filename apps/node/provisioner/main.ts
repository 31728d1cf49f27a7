/**
 * The provisioner: root, on a server that becomes a node. It was uploaded in the release, is started over SSH, and needs
 * nobody while it works: whoever comes back reads its journal.
 *
 *   main.ts install     reads DIR/order.json, does what is missing, ends when a person is wanted
 *   main.ts list        what uninstalling would take away, a line each
 *   main.ts uninstall   takes it away
 *   main.ts rollback    lets the release from before run again
 *   main.ts rotate      gives it another key; its devices, vault and models stay
 *   main.ts keep-key    gives that up, as long as the next key is not being put in place
 *   main.ts reset       makes another node of it, with other keys and devices
 *   main.ts open-port   lets the port in again that a firewall has forgotten; at every boot
 *
 *   --root DIR   another root folder than /, without systemd
 *
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import {
  abandonedSteps,
  install,
  JournalFile,
  listOf,
  Machine,
  openAgain,
  operationSteps,
  orderSchema,
  SETUP_DIR,
  steps,
  uninstall,
  type Order,
} from "@phantoma/provision/host";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { root: { type: "string" } },
});
const machine = new Machine(values.root);
const programsDir = fileURLToPath(new URL("../../..", import.meta.url));

/** Of no set-up: uninstalling asks nothing of it. */
const NO_ORDER: Order = {
  version: 1,
  sha256: "00".repeat(32),
  port: 1,
  mayReboot: false,
  mayOpenPort: false,
  mayUpdateKernel: false,
  mayHardenSsh: false,
};

const [what] = positionals;
switch (what) {
  case "install":
    await run(install, readOrder());
    break;
  case "list":
    for (const line of [
      ...listOf(steps, contextOf(NO_ORDER)),
      `${SETUP_DIR}: the set-up's own folder`,
    ])
      process.stdout.write(`${line}\n`);
    break;
  case "uninstall":
    // Also what this program lies in: it is in memory.
    if (await run(uninstall, NO_ORDER)) {
      machine.removeEmptyFolders();
      machine.remove(SETUP_DIR);
    }
    break;
  case "keep-key":
    await run((_steps, context) => uninstall(abandonedSteps, context, what), NO_ORDER);
    break;
  case "rollback":
  case "rotate":
  case "reset":
    await run((_steps, context) => install(operationSteps[what], context, what), readOrder());
    break;
  case "open-port":
    await openAgain(machine);
    break;
  default:
    process.stderr.write(
      "usage: install | list | uninstall | rollback | rotate | keep-key | reset | open-port\n",
    );
    process.exitCode = 2;
}

function readOrder(): Order {
  return orderSchema.parse(JSON.parse(machine.read(join(SETUP_DIR, "order.json")) ?? ""));
}

async function run(
  work: (all: typeof steps, context: ReturnType<typeof contextOf>) => Promise<boolean>,
  order: Order,
): Promise<boolean> {
  const isDone = await work(steps, contextOf(order));
  process.exitCode = isDone ? 0 : 1;
  return isDone;
}

function contextOf(order: Order) {
  const journal = new JournalFile(machine);
  return { machine, order, programsDir, tell: journal.append.bind(journal) };
}
