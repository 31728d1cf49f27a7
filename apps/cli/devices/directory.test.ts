/** Which device is meant, and what its fingerprint covers. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateDeviceIdentity, type Device } from "@phantoma/crypto";
import {
  deviceFingerprint,
  describeDevice,
  signAddedDevice,
  signFirstDeviceList,
  assertAdminStays,
  assertIsNoKit,
  assertNameIsFree,
} from "@phantoma/client";
import { expect, test } from "vitest";
import { testProfile } from "../../../packages/client/src/devices/test-profile.ts";
import { Home } from "../home.ts";
import { UsageError } from "../output.ts";
import { chooseActive, Directory } from "./directory.ts";

function device(name: string, fill: number, revokedAt: number | null = null): Device {
  const signingKey = new Uint8Array(32).fill(fill);
  const tunnelKey = new Uint8Array(32).fill(fill + 100);
  return { signingKey, tunnelKey, name, role: "chat", addedAt: 1, revokedAt };
}
const refusedAs = (code: string) => expect.objectContaining({ name: "ClientError", code });
const keyOf = (fill: number) => fill.toString(16).padStart(2, "0").repeat(32);

const list = {
  devices: [device("ada", 1), device("laptop", 2), device("laptop", 3), device("old", 4, 5)],
};

test("a list that was read over any session is remembered, and no older one is taken afterwards", async () => {
  const home = new Home(mkdtempSync(join(tmpdir(), "phantoma-directory-")));
  const own = generateDeviceIdentity();
  const { list: first, verified } = signFirstDeviceList(own, "desk", Buffer.alloc(32, 10), 1);
  const phone = describeDevice(generateDeviceIdentity(), "phone", "chat");
  const second = signAddedDevice(own, verified, phone, 2);
  const directory = new Directory(home, { profile: testProfile, device: own });
  const showing = (list: Uint8Array) =>
    directory.follow({
      deviceList: async () => list,
      deviceListsAfter: async () => [first, second],
    });
  await showing(first);
  expect((await showing(second)).version).toBe(2);
  expect(home.seenDevices(testProfile.name)!.version).toBe(2);
  await expect(showing(first)).rejects.toThrow(refusedAs("ERR_NODE_IDENTITY"));
});

test("a device is chosen by its name, or by its signing key in hex", () => {
  expect(chooseActive(list, "ada")).toBe(list.devices[0]);
  expect(chooseActive(list, keyOf(3))).toBe(list.devices[2]);
});

test("a name of several devices is refused, and their keys are said", () => {
  expect(() => chooseActive(list, "laptop")).toThrow(UsageError);
  expect(() => chooseActive(list, "laptop")).toThrow(keyOf(2));
  expect(() => chooseActive(list, "laptop")).toThrow(keyOf(3));
});

test("a device that took another one's key as its name does not hide it", () => {
  const both = { devices: [...list.devices, device(keyOf(1), 9)] };
  expect(() => chooseActive(both, keyOf(1))).toThrow(UsageError);
});

test.each([["nobody"], ["old"], [keyOf(4)], [undefined]])("%j is no active device", (wanted) => {
  expect(() => chooseActive(list, wanted)).toThrow(refusedAs("ERR_DEVICE_UNKNOWN"));
});

test("a name that is active is taken, also by one that only looks the same; a revoked one is free", () => {
  for (const name of ["ada", "Ada", "ada ", "ada\u0007", "a\u202eda", "", " "])
    expect(() => assertNameIsFree(list, name)).toThrow(refusedAs("ERR_DEVICE_NAME"));
  for (const name of ["Recovery kit 2026", "recovery kit", "RECOVERY KIT", " Recovery Kit 1"])
    expect(() => assertNameIsFree(list, name)).toThrow(refusedAs("ERR_DEVICE_NAME"));
  expect(() => assertNameIsFree(list, "n".repeat(64))).not.toThrow();
  expect(() => assertNameIsFree(list, "n".repeat(65))).toThrow(refusedAs("ERR_DEVICE_NAME"));
  expect(() => assertNameIsFree(list, "old")).not.toThrow();
});

test("the last admin stays; a kit in a drawer is not another one", () => {
  const [desk, phone] = [{ ...device("desk", 5), role: "admin" } as const, device("phone", 6)];
  const kit = { ...device("Recovery kit 2026-11-30 12:00:00", 7), role: "admin" } as const;
  const devices = [desk, phone, kit];
  expect(() => assertAdminStays({ devices }, desk)).toThrow(refusedAs("ERR_LAST_ADMIN"));
  for (const leaving of [phone, kit])
    expect(() => assertAdminStays({ devices }, leaving)).not.toThrow();
  const second = { ...device("laptop", 8), role: "admin" } as const;
  expect(() => assertAdminStays({ devices: [...devices, second] }, desk)).not.toThrow();
});

test("a kit's name and role are not changed; another device's are", () => {
  const named = (name: string) => () => assertIsNoKit({ name });
  expect(named("Recovery kit 2026-11-30 12:00:00")).toThrow(refusedAs("ERR_KIT_FIXED"));
  expect(named("laptop")).not.toThrow();
});

test("a fingerprint changes with either key, and when they change places", () => {
  const [ada, laptop] = list.devices as [Device, Device];
  const swapped = { signingKey: ada.tunnelKey, tunnelKey: ada.signingKey };
  const seen = [
    ada,
    { ...ada, tunnelKey: laptop.tunnelKey },
    { ...ada, signingKey: laptop.signingKey },
    swapped,
  ].map(deviceFingerprint);
  expect(new Set(seen).size).toBe(4);
  expect(deviceFingerprint({ ...ada, name: "other" } as Device)).toBe(seen[0]);
});
