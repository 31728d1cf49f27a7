/**
 * What `phantoma provision` does to a node that stands: another release, the one from before, another key, another identity;
 * and what it forgets here.
 *
 * @module
 */
import { hostname } from "node:os";
import {
  KnownHosts,
  parseTarget,
  ProvisionError,
  reach,
  resetIdentity,
  rollBack,
  rotateKey,
  update,
  type SetUpEvent,
} from "@phantoma/provision";
import { nextSeenDevices, type NodeProfile, type SeenDevices } from "@phantoma/client";
import type { Home } from "../home.ts";
import { interruptibly } from "../interruption.ts";
import { oneLine, write, writeJson } from "../output.ts";
import { chooseUpdate, type BundleValues } from "./choose-bundle.ts";
import { Checklist } from "./lines.ts";
import type { SignedIn } from "./sign-in.ts";

export interface OperationValues extends Omit<BundleValues, "unsigned" | "bundle"> {
  readonly json: boolean;
  readonly update?: string | undefined;
  readonly rollback: boolean;
  readonly "rotate-key": boolean;
}

export interface Place {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly reachPort?: number;
}

type Agree = (question: string) => Promise<void>;

/** Each says first what it does. */
export async function operate(
  home: Home,
  { connect }: SignedIn,
  place: Place,
  values: OperationValues,
  agree: Agree,
): Promise<number> {
  const device = home.device();
  const checklist = new Checklist(values.json);
  const options = {
    ...place,
    connect,
    device,
    deviceName: hostname().slice(0, 64) || "first device",
    hear: (event: SetUpEvent) => checklist.hear(event),
  };
  if (values.update !== undefined) {
    const known = knownNode(home, place.name);
    const bundle = await chooseUpdate(home, { ...values, bundle: values.update });
    const { version, signed } = bundle;
    await agree(
      `\nRelease ${version} will run instead; keys, devices and models stay. Go on? Type yes: `,
    );
    return finish(
      home,
      await interruptibly((signal) =>
        update({ ...options, known, bundle, version, signed, signal }),
      ),
      values,
    );
  }
  if (values.rollback) {
    const known = knownNode(home, place.name);
    await agree(
      "\nThe release from before will run again; keys, devices and models stay. Go on? Type yes: ",
    );
    return finish(
      home,
      await interruptibly((signal) => rollBack({ ...options, known, signal })),
      values,
    );
  }
  if (values["rotate-key"]) {
    const known = knownNode(home, place.name);
    const seen = home.seenDevices(place.name);
    await agree(ROTATE_WORDS);
    const remember = (next: SeenDevices) => home.saveSeenDevices(place.name, next);
    const followed = await interruptibly((signal) =>
      rotateKey({ ...options, known, seen, remember, signal }),
    );
    home.saveFollowed(followed);
    await reach(followed, device);
    return finish(home, followed.profile, values);
  }
  await agree(RESET_WORDS);
  const node = await interruptibly((signal) => resetIdentity({ ...options, signal }));
  home.save(node.profile);
  home.saveSeenDevices(place.name, nextSeenDevices(undefined, node.devices));
  await reach(node, device);
  return finish(home, node.profile, values);
}

const ROTATE_WORDS = `
The node gets another key, which its old one and this device, an admin's, sign; then the old one is erased there. Devices,
vault, models and release stay; other devices follow by themselves when they next connect. An open window, reporting to a
control plane, the policy for updates and licences end with the old key, and are given anew. Sessions that are open end.
Go on? Type yes: `;

const RESET_WORDS = `
The server becomes another node, with other keys, and this device its only one. Every other device must be added again.
What was sealed for the old node, the vault with it, cannot be opened by the new one. Models and release stay.
Another admin's device, or the recovery kit, can add this device without any of that.
Make another node of it? Type yes: `;

/** Removes a node from this machine only; the server is not asked, and is what it was. */
export function forgetHere(home: Home, address: string, name: string, isJson: boolean): number {
  const { host } = parseTarget(address);
  const found = home.nodes().filter((node) => node.name === name || isAt(node, host));
  if (found.length === 0) throw new ProvisionError("ERR_UNKNOWN_HERE");
  for (const node of found) home.forget(node.name);
  new KnownHosts(home.hostsPath).forget(parseTarget(address));
  const names = found.map((node) => node.name);
  if (isJson) writeJson({ forgotten: names });
  else
    write(
      `Forgotten here: ${names.map(oneLine).join(", ")}. The server was not asked, and runs on.\n`,
    );
  return 0;
}

function isAt({ url }: NodeProfile, host: string): boolean {
  return new URL(url).hostname.replaceAll(/^\[|\]$/g, "") === host;
}

/** @throws ProvisionError `ERR_UNKNOWN_HERE` */
function knownNode(home: Home, name: string): NodeProfile {
  const known = home.nodes().find((node) => node.name === name);
  if (known === undefined) throw new ProvisionError("ERR_UNKNOWN_HERE", { about: name });
  return known;
}

function finish(home: Home, profile: NodeProfile, { json }: OperationValues): number {
  home.save(profile);
  const { name, url, nodeKey, release } = profile;
  if (json) writeJson({ node: { name, url, nodeKey, release } });
  else write(`\nThe node ${oneLine(name)} runs release ${release.slice(0, 16)}…\n`);
  return 0;
}
