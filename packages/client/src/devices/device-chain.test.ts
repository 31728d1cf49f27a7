/** A machine that was away follows the lists it missed, and no chain that is broken, forked or endless. */
import {
  deviceListDocument,
  documentHash,
  generateDeviceIdentity,
  generateNodeIdentity,
  openNextDeviceList,
  type DeviceIdentity,
  type VerifiedDeviceList,
} from "@phantoma/crypto";
import { beforeEach, expect, test } from "vitest";
import { followDeviceLists, MAX_MISSED_LISTS } from "./device-chain.ts";
import {
  describeDevice,
  signAddedDevice,
  signChangedDevice,
  signFirstDeviceList,
  signRevokedDevice,
} from "./device-lists.ts";
import { nextSeenDevices } from "./seen-devices.ts";

const nodeKey = generateNodeIdentity().signing.publicKey;
const node = Buffer.from(nodeKey).toString("hex");
const [ada, ben, eve, stranger] = Array.from({ length: 4 }, generateDeviceIdentity) as [
  DeviceIdentity,
  DeviceIdentity,
  DeviceIdentity,
  DeviceIdentity,
];
const refused = expect.objectContaining({ name: "ClientError", code: "ERR_NODE_IDENTITY" });

/** The lists that the node has, version 1 first, and how many of them one answer has. */
let lists: Uint8Array[];
let page: number;
let asked: number[];
let newest: VerifiedDeviceList;
const session = {
  deviceList: async () => lists.at(-1)!,
  deviceListsAfter: async (version: number) => {
    asked.push(version);
    return lists.slice(version, version + page);
  },
};
const follow = (seen: VerifiedDeviceList | undefined) =>
  followDeviceLists(session, node, seen && nextSeenDevices(undefined, seen));

function add(next: Uint8Array): VerifiedDeviceList {
  newest = openNextDeviceList(next, newest);
  lists.push(next);
  return newest;
}
const admitted = (by: DeviceIdentity, one: DeviceIdentity, name: string) =>
  add(signAddedDevice(by, newest, describeDevice(one, name, "admin"), 2_000));
const renamed = (by: DeviceIdentity, name: string) =>
  signChangedDevice(by, newest, by.signing.publicKey, { name }, 3_000);

let first: VerifiedDeviceList;
beforeEach(() => {
  const { list, verified } = signFirstDeviceList(ada, "ada", nodeKey, 1_000);
  lists = [list];
  newest = first = verified;
  page = 64;
  asked = [];
});

/** Ada takes Ben in, Ben takes Eve in, Eve lets Ada go. */
function replaceAda(): void {
  admitted(ada, ben, "ben");
  admitted(ben, eve, "eve");
  add(signRevokedDevice(eve, newest, ada.signing.publicKey, 3_000));
}

test.each([64, 2, 1])(
  "admins who came since are known by who added them, %i lists at a time",
  async (size) => {
    replaceAda();
    page = size;
    expect(await follow(first)).toEqual(newest);
    expect(asked[0]).toBe(0);
    expect(asked).toHaveLength(Math.ceil(4 / size));
  },
);

test("what was seen already is asked for no more", async () => {
  replaceAda();
  expect(await follow(newest)).toMatchObject({ version: 4 });
  expect(await follow(undefined)).toMatchObject({ version: 4 });
  expect(asked).toEqual([]);
});

test("another node of the same name begins anew", async () => {
  replaceAda();
  const seen = { ...nextSeenDevices(undefined, first), nodeKey: "ab".repeat(32), version: 9 };
  expect(await followDeviceLists(session, node, seen)).toMatchObject({ version: 4 });
});

test("a list that is signed while the chain is read does not hinder", async () => {
  replaceAda();
  const { deviceList } = session;
  const current = await deviceList();
  const before = newest;
  add(renamed(eve, "eva"));
  const late = { ...session, deviceList: async () => current };
  const seen = nextSeenDevices(undefined, first);
  expect(await followDeviceLists(late, node, seen)).toEqual(before);
});

test.each([
  ["keeps one in the middle back", () => lists.splice(2, 1)],
  ["keeps the remembered one back", () => lists.splice(0, 1)],
  ["shows another remembered one", () => (lists[0] = renamed(ada, "fork"))],
  ["changes one bit of one", () => (lists[1]![100]! ^= 1)],
  ["gives something else than a list", () => (lists[2] = new Uint8Array(3))],
  ["puts them in another order", () => lists.splice(1, 2, lists[2]!, lists[1]!)],
])("a node that %s is refused", async (_how, bend) => {
  replaceAda();
  bend();
  await expect(follow(first)).rejects.toThrow(refused);
});

test("a node that stops giving lists, or gives one again and again, is refused", async () => {
  replaceAda();
  const seen = nextSeenDevices(undefined, first);
  for (const given of [[], [lists[0]!], [lists[1]!]]) {
    const bent = { ...session, deviceListsAfter: async () => given };
    await expect(followDeviceLists(bent, node, seen)).rejects.toThrow(refused);
  }
});

test("an admin whom the node made up is refused, and so is one who was let go", async () => {
  replaceAda();
  const { version, hash: previous } = newest;
  for (const signer of [stranger, ada]) {
    const made = { ...newest, version: version + 1, previous, signer: signer.signing.publicKey };
    lists[4] = deviceListDocument.sign(made, signer.signing.privateKey);
    await expect(follow(first)).rejects.toThrow(refused);
    await expect(follow(newest)).rejects.toThrow(refused);
  }
});

test("a fork is refused: a chain that does not end at the list in force", async () => {
  admitted(ada, ben, "ben");
  const fork = renamed(ben, "fork");
  add(renamed(ben, "true"));
  const bent = { ...session, deviceList: async () => fork };
  await expect(followDeviceLists(bent, node, nextSeenDevices(undefined, first))).rejects.toThrow(
    refused,
  );
});

test("as many lists as the limit are followed, and with one more the machine is to be paired anew", async () => {
  for (let i = 0; i < MAX_MISSED_LISTS; i += 1) add(renamed(ada, `ada ${i}`));
  expect(await follow(first)).toMatchObject({ version: MAX_MISSED_LISTS + 1 });
  asked = [];
  add(renamed(ada, "one more"));
  await expect(follow(first)).rejects.toThrow(refused);
  expect(asked).toEqual([]);
});

test("a version without an end is refused before a list is asked for", async () => {
  const signer = stranger.signing.publicKey;
  const last = { ...first, version: 2 ** 32 - 1, previous: documentHash(lists[0]!), signer };
  lists.push(deviceListDocument.sign(last, stranger.signing.privateKey));
  await expect(follow(first)).rejects.toThrow(refused);
  expect(asked).toEqual([]);
});
