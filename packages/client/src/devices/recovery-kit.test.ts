/** A recovery kit opens with its passphrase alone, is what it was, and shows nothing of it. */
import { generateDeviceIdentity, MAX_DEVICES, Secret } from "@phantoma/crypto";
import { expect, test } from "vitest";
import { withNextKey } from "../node-profile.ts";
import { describeDevice, signFirstDeviceList } from "./device-lists.ts";
import { assertLong, newPassphraseWords, sealUnderPassphrase } from "./passphrase.ts";
import { assertOpensAgain, kitName, newKit, openKit, sealKit, standingOf } from "./recovery-kit.ts";
import { isRecoveryKit } from "./device-rules.ts";
import { nextSeenDevices } from "./seen-devices.ts";
import { testProfile } from "./test-profile.ts";
import { words } from "./words.ts";

const secret = (text: string) => new Secret(Buffer.from(text));
const refusedAs = (code: string) => expect.objectContaining({ name: "ClientError", code });
const PASSPHRASE = "nine brown horses walk";
const MADE_AT = Date.UTC(2026, 10, 30, 9, 8, 7);
const key = Buffer.from(testProfile.nodeKey, "hex");
const { verified: current } = signFirstDeviceList(generateDeviceIdentity(), "desk", key, 1);

test("a kit is the same after it was sealed and opened", async () => {
  const kit = { ...newKit(testProfile, current, MADE_AT), enclosed: secret("a vault's wrap") };
  const opened = await openKit(await sealKit(kit, secret(PASSPHRASE)), secret(PASSPHRASE));
  expect(opened.identity.signing.publicKey).toEqual(kit.identity.signing.publicKey);
  expect(opened.identity.tunnel.publicKey).toEqual(kit.identity.tunnel.publicKey);
  expect(opened.profile).toEqual(testProfile);
  expect(opened.seen).toEqual(nextSeenDevices(undefined, current));
  expect(opened.enclosed.expose().toString()).toBe("a vault's wrap");
  expect(kitName(opened)).toBe("Recovery kit 2026-11-30 09:08:07");
  expect(isRecoveryKit({ name: kitName(opened) })).toBe(true);
});

test("a kit keeps as many admins as a list has devices, and one with more, or with another node's list, is none", async () => {
  const kit = newKit(testProfile, current, MADE_AT);
  const reopened = async (change: object) => {
    const sealed = await sealKit({ ...kit, seen: { ...kit.seen, ...change } }, secret(PASSPHRASE));
    return openKit(sealed, secret(PASSPHRASE));
  };
  const admins = (count: number) => Array.from({ length: count }, () => kit.seen.admins[0]!);
  expect((await reopened({ admins: admins(MAX_DEVICES) })).seen.admins).toHaveLength(MAX_DEVICES);
  for (const change of [{ admins: admins(MAX_DEVICES + 1) }, { nodeKey: "0e".repeat(32) }])
    await expect(reopened(change)).rejects.toThrow(refusedAs("ERR_KIT_FILE"));
});

test("a kit of the layout before, which keeps no list, is refused as that: a new one is to be made", async () => {
  const profile = Buffer.from(JSON.stringify(testProfile));
  const plain = Buffer.alloc(73 + 2 + profile.length + 4);
  plain[0] = 1;
  plain.writeUInt16BE(profile.length, 73);
  plain.set(profile, 75);
  const sealed = await sealUnderPassphrase(secret(PASSPHRASE), "phantoma recovery kit v1", plain);
  await expect(openKit(sealed, secret(PASSPHRASE))).rejects.toThrow(refusedAs("ERR_KIT_VERSION"));
});

test("a kit is good while the list has it as an admin, and the node has the key that it was made for", () => {
  const kit = newKit(testProfile, current, MADE_AT);
  const admin = { ...describeDevice(kit.identity, kitName(kit), "admin"), addedAt: 1 };
  const listWith = (revokedAt: number | null) => ({
    ...current,
    devices: [...current.devices, { ...admin, revokedAt }],
  });
  const next = withNextKey(testProfile, "0e".repeat(32));
  const { formerKeys: _, ...other } = next;
  expect(standingOf(kit, testProfile, listWith(null))).toBe("good");
  expect(standingOf(kit, testProfile, listWith(2))).toBe("revoked");
  expect(standingOf(kit, testProfile, current)).toBe("revoked");
  expect(standingOf(kit, next, listWith(null))).toBe("aged");
  expect(standingOf(kit, other, listWith(null))).toBe("other");
});

test("two seals of one kit have nothing in common, and neither shows the node", async () => {
  const kit = newKit(testProfile, current, MADE_AT);
  const [one, other] = [
    await sealKit(kit, secret(PASSPHRASE)),
    await sealKit(kit, secret(PASSPHRASE)),
  ];
  expect(one.subarray(8)).not.toEqual(other.subarray(8));
  for (const text of ["192.0.2.1", "home", testProfile.nodeKey])
    expect(one.includes(text)).toBe(false);
});

test("another passphrase, a changed byte, a cut file and another file are refused", async () => {
  const sealed = await sealKit(newKit(testProfile, current, MADE_AT), secret(PASSPHRASE));
  const open = (bytes: Uint8Array, passphrase = PASSPHRASE) => openKit(bytes, secret(passphrase));
  await expect(open(sealed, `${PASSPHRASE} `)).rejects.toThrow(refusedAs("ERR_PASSPHRASE"));
  for (const at of [10, 40, 90, sealed.length - 1]) {
    const changed = Buffer.from(sealed);
    changed[at]! ^= 1;
    await expect(open(changed)).rejects.toThrow(/another passphrase|not whole/);
  }
  for (const bytes of [sealed.subarray(0, 60), Buffer.alloc(0), Buffer.from("not a kit at all")])
    await expect(open(bytes)).rejects.toThrow(refusedAs("ERR_KIT_FILE"));
});

test("a kit is good when its file, read back, gives the key that was made, and not when it is another's", async () => {
  const [kit, other] = [
    newKit(testProfile, current, MADE_AT),
    newKit(testProfile, current, MADE_AT),
  ];
  const written = await sealKit(kit, secret(PASSPHRASE));
  await assertOpensAgain(written, secret(PASSPHRASE), kit);
  await expect(assertOpensAgain(written, secret(PASSPHRASE), other)).rejects.toThrow(
    refusedAs("ERR_KIT_FILE"),
  );
  const moved = { ...kit, profile: { ...testProfile, nodeKey: "0e".repeat(32) } };
  await expect(assertOpensAgain(written, secret(PASSPHRASE), moved)).rejects.toThrow(
    refusedAs("ERR_KIT_FILE"),
  );
  await expect(assertOpensAgain(written.subarray(0, -1), secret(PASSPHRASE), kit)).rejects.toThrow(
    /another passphrase|not whole/,
  );
});

test("a passphrase of 12 bytes is long enough, one of 11 is not", () => {
  expect(() => assertLong(secret("a".repeat(12)))).not.toThrow();
  expect(() => assertLong(secret("a".repeat(11)))).toThrow(refusedAs("ERR_PASSPHRASE_SHORT"));
});

test("a made passphrase has twelve words of the list, others each time", () => {
  const [one, other] = [newPassphraseWords(), newPassphraseWords()];
  expect(one).toHaveLength(12);
  expect(one.every((word) => words.includes(word))).toBe(true);
  expect(one).not.toEqual(other);
});
