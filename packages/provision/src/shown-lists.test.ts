/** Lists of a server are followed from the one that was seen here, by a real shell in a folder that is the server. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  describeDevice,
  followDeviceLists,
  nextSeenDevices,
  openDeviceList,
  signAddedDevice,
  signFirstDeviceList,
} from "@phantoma/client";
import {
  generateDeviceIdentity,
  generateNodeIdentity,
  type DeviceIdentity,
  type VerifiedDeviceList,
} from "@phantoma/crypto";
import { expect, onTestFinished, test } from "vitest";
import { Link } from "./link.ts";
import { shownLists } from "./shown-lists.ts";
import type { RootShell } from "./ssh/root-shell.ts";

const [desk, phone, tablet, thief] = Array.from({ length: 4 }, generateDeviceIdentity) as [
  DeviceIdentity,
  DeviceIdentity,
  DeviceIdentity,
  DeviceIdentity,
];
const node = generateNodeIdentity().signing.publicKey;
const nodeKey = Buffer.from(node).toString("hex");

function added(by: DeviceIdentity, to: VerifiedDeviceList, one: DeviceIdentity, name: string) {
  const list = signAddedDevice(by, to, describeDevice(one, name, "admin"), 2);
  return { list, verified: openDeviceList(list, nodeKey) };
}

/** A server with these lists; the last one is what it says is in force. */
function serverWith(...lists: Uint8Array[]) {
  const root = mkdtempSync(join(tmpdir(), "phantoma-lists-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const dir = join(root, "var/lib/phantoma/devices");
  mkdirSync(dir, { recursive: true });
  for (const [at, list] of lists.entries())
    writeFileSync(join(dir, `${String(at + 1).padStart(8, "0")}.list`), list);
  const shell = {
    run: async (script: string) => {
      const below = script.replaceAll("/var/lib/phantoma", `${root}/var/lib/phantoma`);
      const { status, stdout } = spawnSync("/bin/sh", ["-c", below]);
      return { code: status, stdout };
    },
    close: () => undefined,
  };
  const link = new Link(
    async () => shell as unknown as RootShell,
    () => undefined,
  );
  return shownLists(link, lists.at(-1)!);
}

const first = signFirstDeviceList(desk, "desk", node, 1);
const seen = nextSeenDevices(undefined, first.verified);

test("lists that were signed since are followed to the one in force", async () => {
  const second = added(desk, first.verified, phone, "phone");
  const third = added(phone, second.verified, tablet, "tablet");
  const server = serverWith(first.list, second.list, third.list);
  const current = await followDeviceLists(server, nodeKey, seen);
  expect(current.hash).toEqual(third.verified.hash);
});

test("one whose admins are of the server's making is refused, though it names this device", async () => {
  const false1 = signFirstDeviceList(thief, "thief", node, 1);
  const false2 = added(thief, false1.verified, desk, "desk");
  const false3 = added(thief, false2.verified, phone, "phone");
  const refused = expect.objectContaining({ code: "ERR_NODE_IDENTITY" });
  for (const shown of [
    [false1.list, false2.list, false3.list],
    [first.list, false2.list, false3.list],
  ])
    await expect(followDeviceLists(serverWith(...shown), nodeKey, seen)).rejects.toThrow(refused);
});
