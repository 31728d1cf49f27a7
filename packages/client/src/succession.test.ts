/** Who is followed from one key to the next, and by whom. */
import {
  documentHash,
  generateDeviceIdentity,
  generateNodeIdentity,
  MAX_FORMER_KEYS,
  openFirstDeviceList,
  successionDocument,
  type NodeIdentity,
} from "@phantoma/crypto";
import { expect, test } from "vitest";
import { signAddedDevice, signFirstDeviceList, describeDevice } from "./devices/device-lists.ts";
import { decodeInvitation, encodeInvitation } from "./devices/pairing-codes.ts";
import { nextSeenDevices, openDeviceList } from "./devices/seen-devices.ts";
import { testProfile } from "./devices/test-profile.ts";
import { originOf, parseProfile, withNextKey } from "./node-profile.ts";
import { followSuccession, signSuccession, type SignedSuccession } from "./succession.ts";

const admin = generateDeviceIdentity();
const chat = generateDeviceIdentity();
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const keyOf = ({ signing }: NodeIdentity) => signing.publicKey;
const identityError = expect.objectContaining({ code: "ERR_NODE_IDENTITY" });

/** A node with two devices, and what its second one saw. */
function standing() {
  const [old, next] = [generateNodeIdentity(), generateNodeIdentity()];
  const { verified } = signFirstDeviceList(admin, "desk", keyOf(old), 1);
  const both = signAddedDevice(admin, verified, describeDevice(chat, "phone", "chat"), 2);
  const current = openDeviceList(both, hex(keyOf(old)));
  const profile = { ...testProfile, nodeKey: hex(keyOf(old)) };
  return { old, next, current, profile, seen: nextSeenDevices(undefined, current) };
}

function document(old: NodeIdentity, { approved, approval }: SignedSuccession) {
  return successionDocument.sign({ ...approved, approval }, old.signing.privateKey);
}

test("a device follows its node to the next key, and knows the first list there by its hash", () => {
  const { old, next, current, profile, seen } = standing();
  const signed = signSuccession(admin, current, keyOf(next), 3);
  const list = openFirstDeviceList(signed.list, keyOf(next), documentHash(signed.list));
  expect(list.devices).toEqual(current.devices);
  const followed = followSuccession(profile, document(old, signed), seen);
  expect(followed.profile).toEqual({
    ...profile,
    nodeKey: hex(keyOf(next)),
    formerKeys: [profile.nodeKey],
  });
  expect(followed.seen).toEqual(nextSeenDevices(undefined, list));
  const other = signFirstDeviceList(admin, "desk", keyOf(next), 4).verified;
  expect(() => nextSeenDevices(followed.seen, other)).toThrow(identityError);
});

test("it does not follow where no admin whom it has seen approved, whoever has the old key", () => {
  const { old, next, profile, seen } = standing();
  const thief = generateDeviceIdentity();
  const { verified } = signFirstDeviceList(thief, "thief", keyOf(old), 1);
  const signed = signSuccession(thief, verified, keyOf(next), 3);
  expect(() => followSuccession(profile, document(old, signed), seen)).toThrow(identityError);
  // Nor where it has seen none, or only another node's: the old key's word alone leads nowhere.
  for (const other of [undefined, { ...seen, nodeKey: hex(keyOf(next)) }])
    expect(() => followSuccession(profile, document(old, signed), other)).toThrow(identityError);
});

test("it does not follow what another key signed, or what leads nowhere", () => {
  const { old, next, current, profile, seen } = standing();
  const signed = signSuccession(admin, current, keyOf(next), 3);
  for (const bad of [
    document(next, signed),
    document(old, signSuccession(admin, current, keyOf(old), 3)),
    signed.list,
    new Uint8Array(0),
  ])
    expect(() => followSuccession(profile, bad, seen)).toThrow(identityError);
});

test("a device that is no admin signs no succession", () => {
  const { next, current } = standing();
  expect(() => signSuccession(chat, current, keyOf(next), 3)).toThrow(
    expect.objectContaining({ code: "ERR_FORBIDDEN" }),
  );
});

test("a profile keeps its first key and the newest ones, however often the node changes its key", () => {
  let profile = testProfile;
  for (let i = 0; i < 40; i += 1) profile = withNextKey(profile, i.toString(16).padStart(64, "0"));
  expect(originOf(profile)).toBe(testProfile.nodeKey);
  expect(profile.formerKeys).toHaveLength(MAX_FORMER_KEYS);
  expect(profile.formerKeys!.at(-1)).toBe((38).toString(16).padStart(64, "0"));
  expect(parseProfile(JSON.stringify(profile))).toEqual(profile);
});

test("an invitation says which key the node began with, where it has another now", () => {
  const { profile, current } = standing();
  const device = describeDevice(admin, "desk", "admin");
  const invitation = { id: new Uint8Array(16), expiresAt: 5, admin: device, list: current };
  const moved = withNextKey(profile, "cd".repeat(32));
  const decoded = decodeInvitation(encodeInvitation({ ...invitation, profile: moved })).profile;
  expect(originOf(decoded)).toBe(profile.nodeKey);
  expect(decodeInvitation(encodeInvitation({ ...invitation, profile })).profile).toEqual(profile);
});
