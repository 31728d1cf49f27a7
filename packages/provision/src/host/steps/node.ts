/**
 * What makes a server this node: its keys, its first device, a model. Keys are made here and stay here; what the device
 * must know of them goes back over the verified SSH channel.
 *
 * @module
 */
import { constants, lchownSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { identitySchema } from "../../journal.ts";
import { CURRENT_DIR, SETUP_DIR, STATE_DIR, StepError, type Machine } from "../machine.ts";
import { Wanted, type Step } from "../step.ts";

export const IDENTITY_FILE = "identity.json";
/** What the device signed, as it put it here. */
export const DEVICES_FILE = "devices-1.list";

/** The node's next key, and what is signed for it; root's, and gone when it is in place. */
export const NEXT_DIR = `${SETUP_DIR}/next`;
/** There from the point without a way back until then. */
export const NEXT_READY = `${NEXT_DIR}/ready`;

const MODEL = `${CURRENT_DIR}/models/demo/model.gguf`;
const MODELS_DIR = `${STATE_DIR}/models`;
const GENESIS = `${STATE_DIR}/devices/genesis`;

export const identity: Step = {
  name: "identity",
  probe({ machine }) {
    // Half of it would be taken for a node without devices.
    if (machine.has(NEXT_READY))
      throw new StepError("its next key is being put in place: finish that with --rotate-key");
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
  probe: ({ machine }) => hasModel(machine) && areOwned(machine),
  async apply({ machine }) {
    // What an earlier run left there of root's.
    handOver(machine);
    // The folder is the keeper's: as the keeper, no link in it leads to what is root's.
    const { uid, gid } = lstatSync(machine.path(MODELS_DIR));
    const { program, args } = setupCommand(machine, "add-model", [
      "--file",
      machine.path(MODEL),
      "--name",
      "demo",
    ]);
    const as = [`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--no-new-privs"];
    await machine.run("setpriv", ...as, "--", program, ...args);
  },
  list: () => [],
  undo: () => undefined,
};

const listedSchema = z.array(z.looseObject({ digest: z.string().regex(/^[0-9a-f]{64}$/) })).min(1);

/** Whether the keeper lists any. It may have laid anything there: no link is followed, no pipe waited for. */
function hasModel(machine: Machine): boolean {
  const flag = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  try {
    const text = readFileSync(machine.path(`${MODELS_DIR}/catalogue.json`), {
      encoding: "utf8",
      // Numbers are flags to Node; its types know names only.
      flag: flag as unknown as string,
    });
    return listedSchema.safeParse(JSON.parse(text)).success;
  } catch {
    return false;
  }
}

/** What the installed release's set-up says. */
export function setup(machine: Machine, command: string, ...args: string[]): Promise<string> {
  const said = setupCommand(machine, command, args);
  return machine.run(said.program, ...said.args);
}

function setupCommand(machine: Machine, command: string, args: readonly string[]) {
  const dir = machine.path(CURRENT_DIR);
  return {
    program: join(dir, "bin/node"),
    args: [
      join(dir, "apps/node/setup/main.js"),
      command,
      "--state",
      machine.path(STATE_DIR),
      ...args,
    ],
  };
}

/** Set-up makes keys as root; each folder's files are their owner's. */
const OWNED = ["keeper", "gateway", "warden", "models"];

function handOver(machine: Machine): void {
  for (const { path, uid, gid } of strangers(machine)) lchownSync(path, uid, gid);
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
