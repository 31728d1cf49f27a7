/**
 * What makes a server this node: its keys, its first device, a model. Keys are made here and stay here; what the device
 * must know of them goes back over the verified SSH channel.
 *
 * @module
 */
import { chownSync, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { identitySchema } from "../../journal.ts";
import { CURRENT_DIR, SETUP_DIR, STATE_DIR, StepError, type Machine } from "../machine.ts";
import { Wanted, type Step } from "../step.ts";

export const IDENTITY_FILE = "identity.json";
/** What the device signed, as it put it here. */
export const DEVICES_FILE = "devices-1.list";

const MODEL = `${CURRENT_DIR}/models/demo/model.gguf`;
const GENESIS = `${STATE_DIR}/devices/genesis`;

export const identity: Step = {
  name: "identity",
  probe({ machine }) {
    const said = machine.read(`${SETUP_DIR}/${IDENTITY_FILE}`);
    const nodeKey = machine.read(`${STATE_DIR}/devices/node.pub`);
    return (
      said !== undefined && nodeKey !== undefined && said.includes(nodeKey) && areOwned(machine)
    );
  },
  async apply({ machine }) {
    // Makes what is missing and never replaces a key.
    const said = identitySchema.safeParse(JSON.parse(await setup(machine, "init")));
    if (!said.success) throw new StepError("the release's set-up said nothing that is an identity");
    handOver(machine);
    machine.write(`${SETUP_DIR}/${IDENTITY_FILE}`, JSON.stringify(said.data), 0o600);
  },
  // Goes with its folder.
  list: () => [],
  undo: () => undefined,
};

export const devices: Step = {
  name: "devices",
  probe: ({ machine }) => machine.has(GENESIS),
  async apply({ machine }) {
    const path = `${SETUP_DIR}/${DEVICES_FILE}`;
    if (!machine.has(path)) throw new Wanted("devices");
    await setup(machine, "pin-devices", "--list", machine.path(path));
    machine.remove(path);
  },
  list: () => [],
  undo: () => undefined,
};

export const model: Step = {
  name: "model",
  probe: ({ machine }) =>
    machine.read(`${STATE_DIR}/models/catalogue.json`)?.includes('"digest"') === true &&
    areOwned(machine),
  async apply({ machine }) {
    await setup(machine, "add-model", "--file", machine.path(MODEL), "--name", "demo");
    handOver(machine);
  },
  list: () => [],
  undo: () => undefined,
};

function setup(machine: Machine, command: string, ...args: string[]): Promise<string> {
  const dir = machine.path(CURRENT_DIR);
  return machine.run(
    join(dir, "bin/node"),
    join(dir, "apps/node/setup/main.js"),
    command,
    "--state",
    machine.path(STATE_DIR),
    ...args,
  );
}

/** Set-up runs as root; each folder's files are their owner's. */
const OWNED = ["keeper", "gateway", "warden", "models"];

function handOver(machine: Machine): void {
  for (const { path, uid, gid } of strangers(machine)) chownSync(path, uid, gid);
}

function areOwned(machine: Machine): boolean {
  return strangers(machine).length === 0;
}

function strangers(machine: Machine): { path: string; uid: number; gid: number }[] {
  return OWNED.flatMap((name) => {
    const dir = machine.path(`${STATE_DIR}/${name}`);
    const { uid, gid } = lstatSync(dir);
    return readdirSync(dir)
      .map((file) => ({ path: join(dir, file), uid, gid }))
      .filter(({ path }) => lstatSync(path).uid !== uid);
  });
}
