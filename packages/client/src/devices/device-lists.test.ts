/** Device lists as a device signs them are those that a node accepts. */
import {
  activeDevice,
  deviceListDocument,
  documentHash,
  generateDeviceIdentity,
  generateNodeIdentity,
  openFirstDeviceList,
  openNextDeviceList,
} from "@phantoma/crypto";
import { expect, test } from "vitest";
import {
  describeDevice,
  signAddedDevice,
  signFirstDeviceList,
  signRevokedDevice,
} from "./device-lists.ts";

const node = generateNodeIdentity().signing.publicKey;
const [admin, chat] = [generateDeviceIdentity(), generateDeviceIdentity()];
const first = () => signFirstDeviceList(admin, "desk", node, 1_000);
const added = () => {
  const device = describeDevice(chat, "phone", "chat");
  return openNextDeviceList(
    signAddedDevice(admin, first().verified, device, 2_000),
    first().verified,
  );
};

test("the first list has the admin alone and is accepted where its hash is pinned", () => {
  const { list, verified } = first();
  expect(openFirstDeviceList(list, node, documentHash(list))).toEqual(verified);
  expect(verified).toMatchObject({ version: 1, issuedAt: 1_000, node });
  expect(verified.devices).toEqual([
    {
      signingKey: admin.signing.publicKey,
      tunnelKey: admin.tunnel.publicKey,
      name: "desk",
      role: "admin",
      addedAt: 1_000,
      revokedAt: null,
    },
  ]);
});

test("the list with a device more follows it", () => {
  const next = added();
  expect(next.version).toBe(2);
  expect(next.devices.map(({ name, role, addedAt }) => [name, role, addedAt])).toEqual([
    ["desk", "admin", 1_000],
    ["phone", "chat", 2_000],
  ]);
});

test("a revoked device stays listed with its time, and the first time stays", () => {
  const revoke = (current: ReturnType<typeof added>, now: number) =>
    openNextDeviceList(signRevokedDevice(admin, current, chat.signing.publicKey, now), current);
  const once = revoke(added(), 3_000);
  expect(activeDevice(once, chat.signing.publicKey)).toBeUndefined();
  expect(activeDevice(once, admin.signing.publicKey)).toBeDefined();
  const twice = revoke(once, 4_000);
  expect(twice.version).toBe(4);
  expect(twice.devices.map(({ revokedAt }) => revokedAt)).toEqual([null, 3_000]);
});

test("a node refuses what a chat device signed, and a list without an admin", () => {
  const current = added();
  const own = signRevokedDevice(chat, current, admin.signing.publicKey, 3_000);
  const last = signRevokedDevice(admin, current, admin.signing.publicKey, 3_000);
  for (const list of [own, last])
    expect(() => openNextDeviceList(list, current)).toThrow(
      expect.objectContaining({ code: "ERR_NOT_AUTHORISED" }),
    );
});

test("a list describes only public keys", () => {
  const { list } = first();
  const opened = deviceListDocument.open(list, () => admin.signing.publicKey);
  expect(Object.keys(describeDevice(admin, "", "admin"))).toEqual([
    "signingKey",
    "tunnelKey",
    "name",
    "role",
  ]);
  expect(opened.devices).toHaveLength(1);
});
