/** Codes and words of a pairing: whole or refused, in time, once, and different when a key was swapped. */
import { randomBytes } from "node:crypto";
import { decodeQR } from "qr/decode.js";
import { generateDeviceIdentity, type DeviceIdentity } from "@phantoma/crypto";
import { beforeAll, describe, expect, test } from "vitest";
import {
  afterTry,
  INVITATION_LIFETIME_MS,
  makeInvitation,
  MAX_PAIRING_TRIES,
  spent,
  takeRequest,
  type HeldInvitation,
} from "./invitation-desk.ts";
import { answerInvitation } from "./joining.ts";
import {
  decodeInvitation,
  decodePairingRequest,
  encodeInvitation,
  encodePairingRequest,
} from "./pairing-codes.ts";
import { qrRows, qrText } from "./qr.ts";
import { safetyWords, sixWords } from "./six-words.ts";
import { testProfile } from "./test-profile.ts";

const NOW = 1_800_000_000_000;
const admin = generateDeviceIdentity();
const device = generateDeviceIdentity();
const list = { version: 3, hash: randomBytes(32) };
const refusedAs = (code: string) => expect.objectContaining({ name: "ClientError", code });

let held: HeldInvitation;
beforeAll(() => {
  held = makeInvitation(admin, testProfile, list, NOW);
});
const keysOf = (one: DeviceIdentity) => ({
  signingKey: Buffer.from(one.signing.publicKey),
  tunnelKey: Buffer.from(one.tunnel.publicKey),
});

describe("codes", () => {
  test("an invitation says which node, how it is recognised, and whose invitation it is", () => {
    const invitation = decodeInvitation(held.code);
    expect(invitation.profile).toEqual(testProfile);
    expect(invitation.admin).toEqual(keysOf(admin));
    expect(invitation.list).toEqual(list);
    expect(encodeInvitation(invitation)).toBe(held.code);
  });

  test("a device's code says its public keys and name", async () => {
    const { code, invitation } = await answerInvitation(device, "Käthe's desk", held.code, NOW);
    const request = decodePairingRequest(code);
    expect(request).toMatchObject({ ...keysOf(device), name: "Käthe's desk", id: invitation.id });
    expect(encodePairingRequest(request)).toBe(code);
    expect(code.length).toBeLessThan(220);
  });

  test("spaces and line breaks of a mail do no harm", () => {
    const broken = held.code.replace(/(.{60})/g, "$1\r\n  ");
    expect(decodeInvitation(broken)).toEqual(decodeInvitation(held.code));
  });

  test("a code that was cut, changed or is the other kind is refused", async () => {
    const { code } = await answerInvitation(device, "desk", held.code, NOW);
    const changed = `${held.code.slice(0, 40)}${held.code[40] === "A" ? "B" : "A"}${held.code.slice(41)}`;
    const bad = ["", "hello", held.code.slice(0, -1), held.code.slice(0, 30), changed, code];
    for (const text of [...bad, `${held.code}${"A".repeat(3_000)}`])
      expect(() => decodeInvitation(text)).toThrow(refusedAs("ERR_PAIRING_CODE"));
    expect(() => decodePairingRequest(held.code)).toThrow(refusedAs("ERR_PAIRING_CODE"));
  });

  test("an invitation becomes a QR picture that a reader reads again", () => {
    const rows = qrRows(held.code);
    const SCALE = 4;
    const side = rows.length * SCALE;
    const data = new Uint8Array(side * side * 4).fill(255);
    for (let y = 0; y < side; y += 1)
      for (let x = 0; x < side; x += 1)
        if (rows[Math.floor(y / SCALE)]![Math.floor(x / SCALE)] === "1")
          data.fill(0, (y * side + x) * 4, (y * side + x) * 4 + 3);
    expect(decodeQR({ width: side, height: side, data })).toBe(held.code);
    const lines = qrText("phantoma").split("\n");
    expect(new Set(lines.map((line) => line.length)).size).toBe(1);
  });
});

describe("words", () => {
  test("both devices show the same six, and the next pairing of the two shows others", async () => {
    const joining = await answerInvitation(device, "desk", held.code, NOW);
    const taken = await takeRequest(held, joining.code, NOW);
    expect(taken.words).toEqual(joining.words);
    expect(taken.words).toHaveLength(6);
    const again = await answerInvitation(device, "desk", held.code, NOW);
    expect(again.words).not.toEqual(joining.words);
  });

  test("a key that was swapped in the middle, of either side, makes them differ", async () => {
    const middle = generateDeviceIdentity();
    const joining = await answerInvitation(device, "desk", held.code, NOW);
    const request = decodePairingRequest(joining.code);
    const swapped = encodePairingRequest({ ...request, ...keysOf(middle) });
    expect((await takeRequest(held, swapped, NOW)).words).not.toEqual(joining.words);
    const tunnelOnly = { ...request, tunnelKey: keysOf(middle).tunnelKey };
    const half = await takeRequest(held, encodePairingRequest(tunnelOnly), NOW);
    expect(half.words).not.toEqual(joining.words);
    const invitation = { ...decodeInvitation(held.code), admin: keysOf(middle) };
    const toOther = await answerInvitation(device, "desk", encodeInvitation(invitation), NOW);
    expect(toOther.words).not.toEqual((await takeRequest(held, toOther.code, NOW)).words);
  });

  test("words of the same two codes never change", async () => {
    const fixed = encodeInvitation({
      id: Buffer.alloc(16, 1),
      expiresAt: NOW,
      admin: { signingKey: Buffer.alloc(32, 2), tunnelKey: Buffer.alloc(32, 3) },
      list: { version: 1, hash: Buffer.alloc(32, 4) },
      profile: testProfile,
    });
    const request = encodePairingRequest({
      id: Buffer.alloc(16, 1),
      nonce: Buffer.alloc(16, 5),
      signingKey: Buffer.alloc(32, 6),
      tunnelKey: Buffer.alloc(32, 7),
      name: "desk",
    });
    expect((await sixWords(fixed, request)).join(" ")).toMatchInlineSnapshot(
      `"crane camel bottle hotel umbrella shadow"`,
    );
  });

  test("a safety number is the same on both devices, and no other pair's", () => {
    const [one, other, third] = [admin, device, generateDeviceIdentity()].map(keysOf);
    expect(safetyWords(one!, other!)).toEqual(safetyWords(other!, one!));
    expect(safetyWords(one!, other!).words).not.toEqual(safetyWords(one!, third!).words);
    // Half of their bits count against a node that picks both false keys.
    expect(safetyWords(one!, other!).words).toHaveLength(24);
    expect(safetyWords(one!, other!).digits).toMatch(/^(\d{5} ){11}\d{5}$/);
  });
});

describe("an invitation", () => {
  test("is looked at until its last millisecond, and not after it", async () => {
    const last = NOW + INVITATION_LIFETIME_MS - 1;
    const { code } = await answerInvitation(device, "desk", held.code, last);
    await expect(takeRequest(held, code, last)).resolves.toBeDefined();
    const late = refusedAs("ERR_PAIRING_EXPIRED");
    await expect(takeRequest(held, code, last + 1)).rejects.toThrow(late);
    await expect(answerInvitation(device, "desk", held.code, last + 1)).rejects.toThrow(late);
  });

  test("that claims to live longer than one may is refused", async () => {
    const long = encodeInvitation({ ...decodeInvitation(held.code), expiresAt: NOW + 86_400_000 });
    const refused = refusedAs("ERR_PAIRING_EXPIRED");
    await expect(answerInvitation(device, "desk", long, NOW)).rejects.toThrow(refused);
  });

  test("takes the fifth try and not the sixth", async () => {
    const { code } = await answerInvitation(device, "desk", held.code, NOW);
    let left = held;
    for (let tried = 1; tried < MAX_PAIRING_TRIES; tried += 1) left = afterTry(left);
    await expect(takeRequest(left, code, NOW)).resolves.toBeDefined();
    const none = takeRequest(afterTry(left), code, NOW);
    await expect(none).rejects.toThrow(refusedAs("ERR_PAIRING_SPENT"));
  });

  test("that was used, or never made, takes nothing", async () => {
    const { code } = await answerInvitation(device, "desk", held.code, NOW);
    for (const gone of [spent(held), undefined])
      await expect(takeRequest(gone, code, NOW)).rejects.toThrow(refusedAs("ERR_PAIRING_SPENT"));
  });

  test("takes no answer to another one", async () => {
    const other = makeInvitation(admin, testProfile, list, NOW);
    const { code } = await answerInvitation(device, "desk", other.code, NOW);
    await expect(takeRequest(held, code, NOW)).rejects.toThrow(refusedAs("ERR_PAIRING_OTHER"));
  });
});
