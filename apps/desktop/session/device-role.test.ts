import { generateDeviceIdentity } from "@phantoma/crypto";
import {
  describeDevice,
  signAddedDevice,
  signFirstDeviceList,
  signRevokedDevice,
} from "@phantoma/client";
import { deviceListDocument, documentHash } from "@phantoma/crypto";
import { expect, test } from "vitest";
import { roleIn } from "./device-role.ts";

const admin = generateDeviceIdentity();
const guest = generateDeviceIdentity();
const first = signFirstDeviceList(admin, "admin", new Uint8Array(32), 1);
const second = signAddedDevice(admin, first.verified, describeDevice(guest, "guest", "chat"), 2);

test("a device finds its role in the list", () => {
  expect([roleIn(first.list, admin), roleIn(second, admin), roleIn(second, guest)]).toEqual([
    "admin",
    "admin",
    "chat",
  ]);
});

test("a device that is not in the list, or was revoked, has none", () => {
  expect(roleIn(first.list, guest)).toBeNull();
  const opened = deviceListDocument.open(second, ({ signer }) => signer);
  const verified = { ...opened, hash: documentHash(second) };
  const third = signRevokedDevice(admin, verified, guest.signing.publicKey, 3);
  expect(roleIn(third, guest)).toBeNull();
});

test("bytes that are no signed list say nothing", () => {
  const forged = Buffer.from(first.list);
  forged[forged.length - 1]! ^= 1;
  expect(roleIn(forged, admin)).toBeNull();
});
