/** What the page may do about devices: signed here, refused before it is sent, and never on an older list. */
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  answerInvitation,
  describeDevice,
  newKit,
  openDeviceList,
  openKit,
  sealKit,
  signAddedDevice,
  signFirstDeviceList,
} from "@phantoma/client";
import { generateDeviceIdentity, Secret, VAULT_ID_BYTES } from "@phantoma/crypto";
import { beforeEach, expect, test } from "vitest";
import { testProfile } from "../../../packages/client/src/devices/test-profile.ts";
import { safetySchema } from "../ipc/devices.ts";
import { DeviceDesk } from "./device-desk.ts";
import { FakeNode } from "./fake-node.ts";
import { KitDesk } from "./kit-desk.ts";
import { NodeBook } from "./node-book.ts";
import { SavedShelf } from "./saved-shelf.ts";

const NODE = testProfile.nodeKey;
const device = generateDeviceIdentity();
const idOf = (one: typeof device) => Buffer.from(one.signing.publicKey).toString("hex");
const refusedAs = (code: string) => expect.objectContaining({ code });

let node: FakeNode;
let desk: DeviceDesk;
let homeDir: string;
let book: NodeBook;
beforeEach(() => {
  homeDir = mkdtempSync(join(tmpdir(), "phantoma-desk-"));
  node = new FakeNode();
  node.deviceList = signFirstDeviceList(device, "desk", Buffer.from(NODE, "hex"), 1_000).list;
  const ignore = () => undefined;
  const openControl = () => node.openControl();
  book = new NodeBook({ homeDir, openControl, onChanged: ignore, onRemoved: ignore });
  book.addPaired(testProfile);
  desk = new DeviceDesk({ homeDir, book, device });
});

async function pair(name: string) {
  const other = generateDeviceIdentity();
  const { text } = await desk.invite(NODE);
  const joining = await answerInvitation(other, name, text, Date.now());
  const asked = await desk.look(NODE, joining.code);
  return { other, joining, asked };
}

test("the list says which device this is, and when others were seen", async () => {
  node.lastSeen = [{ device: idOf(device), hour: 3_600_000 }];
  const { version, devices } = await desk.list(NODE);
  expect(version).toBe(1);
  expect(devices).toMatchObject([
    {
      id: idOf(device),
      name: "desk",
      role: "admin",
      isThis: true,
      isKit: false,
      seenHour: 3_600_000,
    },
  ]);
});

test("a new device is looked at, compared and added once", async () => {
  const { other, joining, asked } = await pair("phone");
  expect(asked).toEqual({ name: "phone", words: joining.words });
  const { devices } = await desk.add(NODE, "phone", "chat");
  expect(devices[1]).toMatchObject({ id: idOf(other), name: "phone", role: "chat" });
  await expect(desk.look(NODE, joining.code)).rejects.toThrow(refusedAs("ERR_PAIRING_SPENT"));
  await expect(desk.add(NODE, "again", "chat")).rejects.toThrow(refusedAs("ERR_NOT_BEGUN"));
});

test("nothing is added after a person said that the words differ", async () => {
  await pair("phone");
  desk.refuse(NODE);
  await expect(desk.add(NODE, "phone", "chat")).rejects.toThrow(refusedAs("ERR_NOT_BEGUN"));
  expect((await desk.list(NODE)).version).toBe(1);
});

test("a person who refuses while a code is looked at has refused it", async () => {
  const { text } = await desk.invite(NODE);
  const joining = await answerInvitation(generateDeviceIdentity(), "phone", text, Date.now());
  const looking = desk.look(NODE, joining.code);
  desk.refuse(NODE);
  await expect(looking).rejects.toThrow(refusedAs("ERR_NOT_BEGUN"));
  await expect(desk.add(NODE, "phone", "chat")).rejects.toThrow(refusedAs("ERR_NOT_BEGUN"));
});

test("of two codes that are looked at together only the last can be added", async () => {
  const { text } = await desk.invite(NODE);
  const [one, other] = [generateDeviceIdentity(), generateDeviceIdentity()];
  const codes = await Promise.all(
    [one, other].map((device) => answerInvitation(device, "phone", text, Date.now())),
  );
  const first = desk.look(NODE, codes[0]!.code);
  const last = desk.look(NODE, codes[1]!.code);
  await expect(first).rejects.toThrow(refusedAs("ERR_NOT_BEGUN"));
  await last;
  expect((await desk.add(NODE, "phone", "chat")).devices[1]!.id).toBe(idOf(other));
});

test("a device is renamed, raised, lowered and revoked, each by the next list", async () => {
  const { other } = await pair("phone");
  await desk.add(NODE, "phone", "chat");
  await expect(desk.rename(NODE, idOf(other), "Desk")).rejects.toThrow(
    refusedAs("ERR_DEVICE_NAME"),
  );
  expect((await desk.rename(NODE, idOf(other), "tablet")).devices[1]).toMatchObject({
    name: "tablet",
  });
  expect((await desk.setRole(NODE, idOf(other), "admin")).devices[1]).toMatchObject({
    role: "admin",
  });
  expect((await desk.setRole(NODE, idOf(other), "chat")).version).toBe(5);
  expect((await desk.revoke(NODE, idOf(other))).devices[1]!.revokedAt).not.toBeNull();
  await expect(desk.revoke(NODE, idOf(other))).rejects.toThrow(refusedAs("ERR_DEVICE_UNKNOWN"));
});

test("a safety number has as many words as the page takes", async () => {
  const { other } = await pair("phone");
  await desk.add(NODE, "phone", "chat");
  const { words } = safetySchema.parse(await desk.compare(NODE, idOf(other)));
  expect(words).toHaveLength(24);
});

test("a kit keeps its name and its role: renamed, it would count as an admin that a machine has", async () => {
  const kit = generateDeviceIdentity();
  await desk.sign(NODE, (list, admin) =>
    signAddedDevice(admin, list, describeDevice(kit, "Recovery kit 2026", "admin"), 2_000),
  );
  await expect(desk.rename(NODE, idOf(kit), "laptop")).rejects.toThrow(refusedAs("ERR_KIT_FIXED"));
  await expect(desk.setRole(NODE, idOf(kit), "chat")).rejects.toThrow(refusedAs("ERR_KIT_FIXED"));
  expect((await desk.revoke(NODE, idOf(kit))).devices[1]!.revokedAt).not.toBeNull();
});

test("a list that is signed while the node answers what it has is no step back", async () => {
  const control = await node.openControl();
  const asked = Promise.withResolvers<void>();
  const signed = Promise.withResolvers<void>();
  const deviceList = async () => {
    const list = await control.deviceList();
    asked.resolve();
    await signed.promise;
    return list;
  };
  const reading = desk.current(NODE, { ...control, deviceList });
  await asked.promise;
  const phone = describeDevice(generateDeviceIdentity(), "phone", "chat");
  await desk.sign(NODE, (list, admin) => signAddedDevice(admin, list, phone, 2_000));
  signed.resolve();
  expect((await reading).version).toBe(2);
});

test("a kit that is checked says whether it opens what is saved", async () => {
  const saved = new SavedShelf(homeDir, device, () => undefined);
  const kits = new KitDesk(homeDir, book, desk, saved);
  const { path } = await kits.make(NODE, "nine brown horses walk");
  const check = (sealed: Uint8Array) =>
    kits.check(NODE, Buffer.from(sealed).toString("base64"), "nine brown horses walk");
  const made = readFileSync(path);
  expect(await check(made)).toMatchObject({ standing: "good", opensSaved: false });
  const passphrase = () => new Secret(Buffer.from("nine brown horses walk"));
  const kit = await openKit(made, passphrase());
  const withVault = { ...kit, enclosed: new Secret(Buffer.alloc(VAULT_ID_BYTES, 1)) };
  const sealed = await sealKit(withVault, passphrase());
  expect(await check(sealed)).toMatchObject({ standing: "good", opensSaved: true });
});

test("the last admin stays", async () => {
  const own = idOf(device);
  await expect(desk.revoke(NODE, own)).rejects.toThrow(refusedAs("ERR_LAST_ADMIN"));
  await expect(desk.setRole(NODE, own, "chat")).rejects.toThrow(refusedAs("ERR_LAST_ADMIN"));
});

test("a node that goes back to an older list is refused, and nothing is signed on it", async () => {
  const older = node.deviceList;
  const current = (await desk.list(NODE)).version;
  await desk.sign(NODE, (list, admin) =>
    signAddedDevice(admin, list, describeDevice(generateDeviceIdentity(), "phone", "chat"), 2_000),
  );
  node.deviceList = older;
  const kit = newKit(testProfile, openDeviceList(older, NODE), 1_000);
  const sealed = await sealKit(kit, new Secret(Buffer.from("nine brown horses walk")));
  const saved = new SavedShelf(homeDir, device, () => undefined);
  const kits = new KitDesk(homeDir, book, desk, saved);
  await expect(
    kits.check(NODE, sealed.toString("base64"), "nine brown horses walk"),
  ).rejects.toThrow(refusedAs("ERR_NODE_IDENTITY"));
  await expect(desk.list(NODE)).rejects.toThrow(refusedAs("ERR_NODE_IDENTITY"));
  await expect(desk.revoke(NODE, idOf(device))).rejects.toThrow(refusedAs("ERR_NODE_IDENTITY"));
  expect(current).toBe(1);
});
