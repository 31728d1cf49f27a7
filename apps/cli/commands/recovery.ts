/**
 * phantoma recovery: a kit that takes a new machine in when the last one is lost.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import {
  ClientError,
  kitName,
  nextSeenDevices,
  openKit,
  opensVault,
  originOf,
  restoreFromKit,
  standingOf,
  type KitStanding,
} from "@phantoma/client";
import type { Device } from "@phantoma/crypto";
import type { Command } from "../command.ts";
import { chooseActive, Directory, shownName } from "../devices/directory.ts";
import { makeKit } from "../devices/kit.ts";
import { outcomeOf, takeSaved } from "../devices/kit-vault.ts";
import { askPerson, saysYes } from "../devices/person.ts";
import { Home } from "../home.ts";
import { commonOptions, parse } from "../options.ts";
import { notice, UsageError, write, writeJson } from "../output.ts";
import { askSecret } from "../provision/secret-prompt.ts";
import type { Peer } from "../session.ts";

const options = {
  ...commonOptions,
  /** The passphrase is made here and printed, once. */
  words: { type: "boolean", default: false },
  name: { type: "string" },
  lost: { type: "string", multiple: true },
} as const;

/** Bytes of a kit's file: keys, a profile and what a vault encloses. */
const MAX_KIT_BYTES = 131_072;

export const recovery: Command = {
  usage:
    "recovery make FILE [--words] | check FILE | restore FILE [--name NAME] [--lost DEVICE … | --lost none] | saved FILE",
  summary: "a kit, sealed under a passphrase, that makes a new machine an admin when one is lost",
  async run(args) {
    const { values, positionals } = parse(args, options);
    const [action, path] = positionals;
    if (!path) throw new UsageError("name the kit's file");
    const home = new Home(values.home);
    if (action === "restore") return restore(home, path, values);
    if (action === "saved") return takeAgain(home, path, values);
    const peer = home.peer(values.node);
    const directory = new Directory(home, peer);
    if (action === "make") {
      await makeKit(home, peer, directory, path, values);
      return 0;
    }
    if (action === "check") return check(peer, directory, path, values.json);
    throw new UsageError(`recovery cannot ${JSON.stringify(action ?? "")}`);
  },
};

/** With this device's key, not the kit's: that one stays in its drawer. */
async function check(
  peer: Peer,
  directory: Directory,
  path: string,
  isJson: boolean,
): Promise<number> {
  const kit = await open(path);
  const opensSaved = opensVault(kit);
  kit.enclosed.erase();
  const current = await directory.current();
  const standing = standingOf(kit, peer.profile, current);
  const isGood = standing === "good";
  if (isJson) writeJson({ kit: path, name: kitName(kit), isGood, opensSaved, madeAt: kit.madeAt });
  else write(`this kit opens, ${STANDINGS[standing]}\n`);
  if (isGood && !opensSaved)
    notice("it was made before anything was saved at the node: it opens no conversations");
  return isGood ? 0 : 1;
}

const STANDINGS = {
  good: "and the node would take its signature",
  revoked: "but the node's list does not have it as an admin: make a new one",
  aged: "but the node has another key since it was made: make a new one",
  other: "but it is another node's: name that one with --node",
} as const satisfies Record<KitStanding, string>;

async function restore(
  home: Home,
  path: string,
  { name = hostname(), lost, json }: { name?: string; lost?: string[]; json: boolean },
): Promise<number> {
  const kit = await open(path);
  home.assertFree(kit.profile);
  const device = home.device();
  const restored = await restoreFromKit(kit, device, name, (devices) => chooseLost(devices, lost));
  const { profile } = restored;
  home.save(profile);
  home.saveSeenDevices(
    profile.name,
    nextSeenDevices(home.seenDevices(profile.name), restored.list),
  );
  const gone = restored.lost.map(shownName);
  const { version } = restored.list;
  const taking = takeSaved(kit, { profile, device }, home, restored.list);
  const { result: saved = null, failure } = await outcomeOf(taking);
  if (json) writeJson({ restored: profile.name, revoked: gone, version, saved });
  else
    write(
      `this machine is an admin of ${profile.name}; revoked: ${gone.join(", ") || "nothing"}\n`,
    );
  if (!json && saved !== null) write(`${saved} saved conversations came from the node\n`);
  if (failure) notice(`what is saved did not come (${failure}): try phantoma recovery saved FILE`);
  else notice("make a new kit now, and revoke this one: its key was on a machine");
  return 0;
}

/** For a machine that the kit has taken in, and that did not get what is saved then. */
async function takeAgain(
  home: Home,
  path: string,
  { node, json }: { node?: string; json: boolean },
): Promise<number> {
  const kit = await open(path);
  const peer = home.peer(node);
  if (originOf(peer.profile) !== originOf(kit.profile))
    throw new ClientError("ERR_KIT_FILE", "it is another node's: name that one with --node");
  const saved = await takeSaved(kit, peer, home, await new Directory(home, peer).current());
  if (json) writeJson({ saved: saved ?? null });
  else write(saved === undefined ? "this kit opens no conversations\n" : `${saved} came\n`);
  return 0;
}

async function chooseLost(
  devices: readonly Device[],
  named: readonly string[] | undefined,
): Promise<readonly Device[]> {
  const choose = (names: readonly string[]) =>
    names
      .filter((one) => one !== "none")
      .map((one) => chooseActive({ devices: [...devices] }, one));
  if (named) return choose(named);
  for (const device of devices) write(`  ${shownName(device)}  ${device.role}\n`);
  const answer = await askPerson("which of them are lost? (names with commas between, or none)");
  const lost = choose(answer.split(",").map((one) => one.trim()));
  if (!(await saysYes(`revoke ${lost.map(shownName).join(", ") || "nothing"}?`)))
    throw new ClientError("ERR_CANCELLED", "nothing was signed");
  return lost;
}

async function open(path: string) {
  const sealed = read(path);
  const passphrase = await askSecret("the kit's passphrase");
  try {
    return await openKit(sealed, passphrase);
  } finally {
    passphrase.erase();
  }
}

function read(path: string): Buffer {
  try {
    const bytes = readFileSync(path);
    if (bytes.length <= MAX_KIT_BYTES) return bytes;
  } catch {
    // Said below, as for whatever else is no kit.
  }
  throw new ClientError("ERR_KIT_FILE", `${path} cannot be read, or is too large for a kit`);
}
