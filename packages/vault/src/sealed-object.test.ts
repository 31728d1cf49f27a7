/** One sealed object under every attack on its bytes, its place and its keys: refused with a code, and nothing opened. */
import { randomBytes } from "node:crypto";
import { MAX_VAULT_BLOB_BYTES, Secret } from "@phantoma/crypto";
import { describe, expect, test } from "vitest";
import { VaultKeyring } from "./keyring.ts";
import { openObject, sealObject } from "./sealed-object.ts";

const PLAINTEXT = Buffer.from("a canary that nobody else reads");
const VAULT = new Uint8Array(16).fill(1);
const place = { object: "00000000000000a1", revision: 3 };
const keys = new Map([1, 2].map((epoch) => [epoch, new Secret(randomBytes(32))]));
const keyring = new VaultKeyring(VAULT, keys);
const sealed = sealObject(keyring, place, PLAINTEXT);

const opens = (bytes: Uint8Array, ring = keyring, where = place) => openObject(ring, where, bytes);
const refused = (code: string, open: () => unknown) => {
  expect(open).toThrow(expect.objectContaining({ code }));
  expect(open).not.toThrow("canary");
};

test("it opens where it belongs", () => {
  expect(opens(sealed)).toEqual(PLAINTEXT);
});

test("no bit of it can be flipped", () => {
  for (let at = 0; at < sealed.length; at += 1) {
    const flipped = Buffer.from(sealed);
    flipped[at]! ^= 1 << (at % 8);
    expect(() => opens(flipped)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^ERR_VAULT_(FORGED|DAMAGED|KEY)$/) }),
    );
  }
});

test("it cannot end anywhere else", () => {
  for (let length = 0; length < sealed.length; length += 1)
    expect(() => opens(sealed.subarray(0, length))).toThrow(/./);
  refused("ERR_VAULT_FORGED", () => opens(Buffer.concat([sealed, Buffer.alloc(1)])));
});

const other = (change: Partial<typeof place>) => ({ ...place, ...change });
const withKeys = (vault: Uint8Array, given: ReadonlyMap<number, Secret>) =>
  new VaultKeyring(vault, given);
const swapped = new Map([
  [1, keys.get(2)!],
  [2, keys.get(1)!],
]);

describe("it is refused", () => {
  test.each([
    ["as another object", "ERR_VAULT_FORGED", keyring, other({ object: "00000000000000a2" })],
    ["as an older revision", "ERR_VAULT_FORGED", keyring, other({ revision: 2 })],
    ["as a newer revision", "ERR_VAULT_FORGED", keyring, other({ revision: 4 })],
    [
      "in another person's vault",
      "ERR_VAULT_FORGED",
      withKeys(new Uint8Array(16).fill(2), keys),
      place,
    ],
    ["under another epoch's key", "ERR_VAULT_FORGED", withKeys(VAULT, swapped), place],
    [
      "by a device that has only the key before",
      "ERR_VAULT_KEY",
      withKeys(VAULT, new Map([[1, keys.get(1)!]])),
      place,
    ],
    [
      "under a stranger's key",
      "ERR_VAULT_FORGED",
      withKeys(VAULT, new Map([[2, new Secret(randomBytes(32))]])),
      place,
    ],
  ])("%s: %s", (_, code, ring, where) => {
    refused(code, () => opens(sealed, ring, where));
  });

  test("with the head of one revision and the body of another", () => {
    const newer = sealObject(keyring, place, Buffer.from("another text of the same place"));
    const mixed = Buffer.concat([sealed.subarray(0, 140), newer.subarray(140)]);
    refused("ERR_VAULT_FORGED", () => opens(mixed));
  });

  test("with an epoch in its head that it was not sealed under", () => {
    const changed = Buffer.from(sealed);
    changed.writeUInt32BE(1, 8);
    refused("ERR_VAULT_FORGED", () => opens(changed));
  });

  test.each([
    ["nothing", Buffer.alloc(0)],
    ["a head without a body", sealed.subarray(0, 140)],
    ["zeros", Buffer.alloc(2000)],
    ["more than an object may have", Buffer.alloc(MAX_VAULT_BLOB_BYTES + 1)],
  ])("when it is %s", (_, bytes) => {
    refused("ERR_VAULT_DAMAGED", () => opens(bytes));
  });
});

test("the same text is never sealed to the same bytes, and short texts have one size", () => {
  const again = sealObject(keyring, place, PLAINTEXT);
  expect(again.equals(sealed)).toBe(false);
  expect(sealObject(keyring, place, Buffer.alloc(1)).length).toBe(sealed.length);
});

test("what does not fit into a node's room for one object is refused before it is sent", () => {
  refused("ERR_VAULT_TOO_LARGE", () => sealObject(keyring, place, Buffer.alloc(524_288)));
});
