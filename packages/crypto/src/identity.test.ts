/** Lasting keys: stored and taken up again, compared by people. */
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { signEd25519, verifyEd25519 } from "./ed25519.ts";
import {
  exportDeviceIdentity,
  exportNodeIdentity,
  fingerprint,
  generateDeviceIdentity,
  generateNodeIdentity,
  importDeviceIdentity,
  importNodeIdentity,
} from "./identity.ts";
import { Secret } from "./secret.ts";
import { generateX25519, x25519 } from "./x25519.ts";

const message = Buffer.from("message");
const refused = expect.objectContaining({ name: "CryptoError", code: "ERR_LENGTH" });

test("a device's keys work as before after they were stored", () => {
  const before = generateDeviceIdentity();
  const after = importDeviceIdentity(exportDeviceIdentity(before));
  expect(after.signing.publicKey).toEqual(before.signing.publicKey);
  expect(after.tunnel.publicKey).toEqual(before.tunnel.publicKey);
  const signature = signEd25519(after.signing.privateKey, message);
  expect(verifyEd25519(before.signing.publicKey, message, signature)).toBe(true);
  const peer = generateX25519();
  expect(x25519(after.tunnel.privateKey, peer.publicKey)).toEqual(
    x25519(peer.privateKey, before.tunnel.publicKey),
  );
});

test("a node's key works as before after it was stored", () => {
  const before = generateNodeIdentity();
  const after = importNodeIdentity(exportNodeIdentity(before));
  expect(after.signing.publicKey).toEqual(before.signing.publicKey);
  const signature = signEd25519(after.signing.privateKey, message);
  expect(verifyEd25519(before.signing.publicKey, message, signature)).toBe(true);
});

test("a stored device is its Ed25519 seed and its X25519 key, 64 bytes", () => {
  const stored = Buffer.concat([Buffer.alloc(32, 1), Buffer.alloc(32, 2)]);
  const again = exportDeviceIdentity(importDeviceIdentity(new Secret(Buffer.from(stored))));
  expect(again.expose()).toEqual(stored);
});

test("taking an identity up leaves the secret to its owner", () => {
  const secret = exportDeviceIdentity(generateDeviceIdentity());
  const identity = importDeviceIdentity(secret);
  secret.erase();
  expect(signEd25519(identity.signing.privateKey, message)).toHaveLength(64);
});

describe("a stored identity of another length is refused", () => {
  test.each([0, 32, 63, 65, 128])("a device of %d bytes", (length) => {
    expect(() => importDeviceIdentity(new Secret(Buffer.alloc(length)))).toThrow(refused);
  });

  test.each([0, 31, 33, 64])("a node of %d bytes", (length) => {
    expect(() => importNodeIdentity(new Secret(Buffer.alloc(length)))).toThrow(refused);
  });
});

test("identities are different each time, and a device's two keys from each other", () => {
  const [one, two] = [generateDeviceIdentity(), generateDeviceIdentity()];
  const keys = [one, two].flatMap(({ signing, tunnel }) => [signing.publicKey, tunnel.publicKey]);
  expect(new Set(keys.map((key) => Buffer.from(key).toString("hex"))).size).toBe(4);
});

describe("a fingerprint", () => {
  const key = Buffer.alloc(32, 1);

  test("is twelve groups of five digits", () => {
    for (let fill = 0; fill < 256; fill += 1)
      expect(fingerprint(Buffer.alloc(32, fill))).toMatch(/^\d{5}( \d{5}){11}$/);
  });

  test("is the end of the decimal SHA-256 over its domain and the key", () => {
    const domain = Buffer.from("phantoma fingerprint v1\0");
    const hash = createHash("sha256")
      .update(Buffer.concat([domain, key]))
      .digest("hex");
    const digits = BigInt(`0x${hash}`).toString().slice(-60);
    expect(fingerprint(key).replaceAll(" ", "")).toBe(digits);
  });

  test("changes with every bit of the key", () => {
    const seen = new Set([fingerprint(key)]);
    for (let bit = 0; bit < 256; bit += 1) {
      const other = Buffer.from(key);
      other[bit >> 3]! ^= 1 << (bit & 7);
      seen.add(fingerprint(other));
    }
    expect(seen.size).toBe(257);
  });
});
