/** X25519 against RFC 7748, and the keys that it must refuse. */
import { expect, test } from "vitest";
import { lowOrderPoints } from "../vectors/bad-keys.ts";
import { exportX25519Private, generateX25519, x25519, x25519FromPrivate } from "./x25519.ts";

const hex = (text: string) => Buffer.from(text, "hex");
const coded = (code: string) => expect.objectContaining({ name: "CryptoError", code });

test("Alice and Bob of RFC 7748, section 6.1, share its secret", () => {
  const alice = x25519FromPrivate(
    hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"),
  );
  const bob = x25519FromPrivate(
    hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"),
  );
  const shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
  expect(Buffer.from(alice.publicKey).toString("hex")).toBe(
    "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
  );
  expect(x25519(alice.privateKey, bob.publicKey).toString("hex")).toBe(shared);
  expect(x25519(bob.privateKey, alice.publicKey).toString("hex")).toBe(shared);
});

test.each(lowOrderPoints)("the low-order point %s is refused", (point) => {
  expect(() => x25519(generateX25519().privateKey, hex(point))).toThrow(coded("ERR_BAD_KEY"));
});

test.each([0, 31, 33])("a public key of %d bytes is refused", (length) => {
  const { privateKey } = generateX25519();
  expect(() => x25519(privateKey, Buffer.alloc(length, 9))).toThrow(coded("ERR_LENGTH"));
});

test("a private key comes back as it was stored", () => {
  const raw = Buffer.alloc(32, 5);
  expect(exportX25519Private(x25519FromPrivate(raw).privateKey)).toEqual(raw);
});
