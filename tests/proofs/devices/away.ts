/**
 * A machine that was away while admins came whom it never saw: it follows the lists, and none that is not whole.
 *
 * @module
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  ControlSession,
  describeDevice,
  openDeviceList,
  signAddedDevice,
  signChangedDevice,
  type NodeProfile,
} from "@phantoma/client";
import {
  generateDeviceIdentity,
  type DeviceIdentity,
  type VerifiedDeviceList,
} from "@phantoma/crypto";
import { listPath } from "../../../apps/node/devices/device-list-folder.ts";
import type { NodeUnderTest } from "../../node-under-test.ts";
import type { Proof } from "../../proof.ts";
import { codeOf, Machine } from "./machine.ts";
import { current } from "./pairing.ts";

export async function showAway(
  proof: Proof,
  { node, dir }: NodeUnderTest,
  desk: Machine,
): Promise<void> {
  const { profile } = node;
  const [anna, ben] = [generateDeviceIdentity(), generateDeviceIdentity()];
  const cottage = new Machine().knows(profile);
  // One session: any device may hand a list in, and what counts is who signed it.
  const session = await ControlSession.open({ profile, device: desk.device });
  let last = await current(node, desk);
  const sign = async (make: (list: VerifiedDeviceList) => Uint8Array) => {
    const next = make(last);
    await session.submitDeviceList(next);
    last = openDeviceList(next, profile.nodeKey);
  };
  const admit = (by: DeviceIdentity, one: DeviceIdentity, name: string, role: "admin" | "chat") =>
    sign((list) => signAddedDevice(by, list, describeDevice(one, name, role), Date.now()));
  const rename = (by: DeviceIdentity, name: string) => (list: VerifiedDeviceList) =>
    signChangedDevice(by, list, by.signing.publicKey, { name }, Date.now());

  await admit(desk.device, cottage.device, "cottage", "chat");
  const known = last.version;
  await cottage.run(["devices", "list"]);
  await admit(desk.device, anna, "anna", "admin");
  const fork = rename(desk.device, "fork")(last);
  await admit(anna, ben, "ben", "admin");
  const path = listPath(join(dir, "state", "devices"), last.version);
  await sign(rename(ben, "benjamin"));
  session.close();
  // The gateway follows the same files: it has read the one that is bent below when it lets Ben in.
  while (!(await isLetIn(profile, ben))) await sleep(250);

  const genuine = readFileSync(path);
  const bent = {
    "is missing": () => rmSync(path),
    "is another one that an admin signed": () => writeFileSync(path, fork),
  };
  for (const [how, bend] of Object.entries(bent)) {
    bend();
    const code = String(codeOf(await cottage.run(["devices", "list"])));
    proof.control(`of the lists that it missed, one ${how}`, code === "ERR_NODE_IDENTITY", code);
  }
  writeFileSync(path, genuine);
  const back = await cottage.run(["devices", "list"]);
  const { version } = back.said[0] as unknown as { version: number };
  proof.row({
    name: "a machine that was away for three lists and two new admins comes back without pairing",
    holds: back.exitCode === 0 && version === known + 3 && version === last.version,
    detail: `from list ${known} to ${version}, signed by an admin whom it never saw`,
  });
}

async function isLetIn(profile: NodeProfile, device: DeviceIdentity): Promise<boolean> {
  const session = await ControlSession.open({ profile, device }).catch(() => undefined);
  session?.close();
  return session !== undefined;
}
