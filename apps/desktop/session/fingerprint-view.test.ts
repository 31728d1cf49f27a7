import { words } from "@phantoma/client";
import { fingerprint, generateDeviceIdentity } from "@phantoma/crypto";
import { expect, test } from "vitest";
import { fingerprintSchema } from "../ipc/node.ts";
import { fingerprintView } from "./fingerprint-view.ts";

test("there are 256 words, all different", () => {
  expect(words).toHaveLength(256);
  expect(new Set(words).size).toBe(256);
});

test("a fingerprint's digits are the terminal's, and one bit of the key changes words and blocks", () => {
  const key = Buffer.alloc(32, 7);
  const changed = Buffer.from(key);
  changed[31]! ^= 1;
  const view = fingerprintView(key);
  expect(view.digits).toBe(fingerprint(key));
  expect(fingerprintSchema.safeParse(view).success).toBe(true);
  expect(fingerprintView(changed).words).not.toEqual(view.words);
  expect(fingerprintView(changed).blocks).not.toEqual(view.blocks);
});

test("the words of a key never change", () => {
  expect(fingerprintView(Buffer.alloc(32)).words.join(" ")).toMatchInlineSnapshot(
    `"globe alpha chess mentor harvest blanket napkin dolphin laurel pillow echo fennel"`,
  );
});

test("words tell two devices apart", () => {
  const shown = Array.from({ length: 50 }, () =>
    fingerprintView(generateDeviceIdentity().signing.publicKey).words.join(" "),
  );
  expect(new Set(shown).size).toBe(50);
});
