/** Ed25519 against RFC 8032, and the signatures that it must refuse. */
import { describe, expect, test } from "vitest";
import { bytesOf } from "../vectors/document-values.ts";
import {
  ed25519FromSeed,
  exportEd25519Seed,
  generateEd25519,
  signEd25519,
  verifyEd25519,
} from "./ed25519.ts";

const rfc8032 = [
  {
    name: "test 1, an empty message",
    seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    message: "",
    signature:
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155" +
      "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  },
  {
    name: "test 2, one byte",
    seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    publicKey: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    message: "72",
    signature:
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da" +
      "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  },
];

test.each(rfc8032)("RFC 8032, section 7.1, $name", ({ seed, publicKey, message, signature }) => {
  const key = ed25519FromSeed(bytesOf(seed));
  expect(Buffer.from(key.publicKey).toString("hex")).toBe(publicKey);
  const signed = signEd25519(key.privateKey, bytesOf(message));
  expect(Buffer.from(signed).toString("hex")).toBe(signature);
  expect(verifyEd25519(key.publicKey, bytesOf(message), signed)).toBe(true);
});

describe("a signature is not accepted", () => {
  const { publicKey, privateKey } = generateEd25519();
  const message = Buffer.from("message");
  const signature = signEd25519(privateKey, message);

  test("under another key or over another message", () => {
    expect(verifyEd25519(publicKey, message, signature)).toBe(true);
    expect(verifyEd25519(generateEd25519().publicKey, message, signature)).toBe(false);
    expect(verifyEd25519(publicKey, Buffer.from("messagE"), signature)).toBe(false);
  });

  test("at another length, of itself or of the key", () => {
    for (const length of [0, 63])
      expect(verifyEd25519(publicKey, message, signature.subarray(0, length))).toBe(false);
    expect(verifyEd25519(publicKey, message, Buffer.concat([signature, Buffer.of(0)]))).toBe(false);
    expect(verifyEd25519(publicKey.subarray(1), message, signature)).toBe(false);
    expect(verifyEd25519(Buffer.concat([publicKey, publicKey]), message, signature)).toBe(false);
  });

  test("in its second form, with the group order added to S", () => {
    expect(verifyEd25519(publicKey, message, withOrderAdded(signature))).toBe(false);
  });

  test("under a key that is no point on the curve", () => {
    for (const fill of [0x00, 0x02, 0x7f, 0xff])
      expect(verifyEd25519(Buffer.alloc(32, fill), message, signature)).toBe(false);
  });
});

test.each([
  "0100000000000000000000000000000000000000000000000000000000000000",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
])("under the small-order key %s nothing that needs no private key is accepted", (key) => {
  const identity = Buffer.from("01".padEnd(64, "0"), "hex");
  const forged = Buffer.concat([identity, Buffer.alloc(32)]);
  for (let attempt = 0; attempt < 32; attempt += 1)
    expect(verifyEd25519(bytesOf(key), Buffer.of(attempt), forged)).toBe(false);
});

test("a seed comes back as it was stored", () => {
  const seed = Buffer.alloc(32, 5);
  expect(exportEd25519Seed(ed25519FromSeed(seed).privateKey)).toEqual(seed);
});

/** RFC 8032, section 5.1.7 demands S below the order; whoever forgets it has malleable signatures. */
function withOrderAdded(signature: Uint8Array): Uint8Array {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const s = BigInt(`0x${Buffer.from(signature.slice(32).toReversed()).toString("hex")}`) + order;
  const littleEndian = Buffer.from(s.toString(16).padStart(64, "0"), "hex").toReversed();
  return Buffer.concat([signature.slice(0, 32), littleEndian]);
}
