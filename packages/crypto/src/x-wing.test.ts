/** X-Wing against the draft's vectors, and against a second implementation. */
import { readFileSync } from "node:fs";
import { ml_kem768_x25519 as noble } from "@noble/post-quantum/hybrid.js";
import { describe, expect, test } from "vitest";
import { CryptoError } from "./crypto-error.ts";
import { Secret } from "./secret.ts";
import { loadXWing, X_WING_CIPHERTEXT_BYTES, X_WING_PUBLIC_BYTES } from "./x-wing.ts";

interface Vector {
  readonly seed: string;
  readonly pk: string;
  readonly ct: string;
  readonly ss: string;
}

const file = new URL("../vectors/x-wing.json", import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, "utf8")) as { vectors: Vector[] };
const xWing = await loadXWing();
const bytes = (hex: string) => Buffer.from(hex, "hex");
const pair = (seed: Uint8Array) => xWing.fromSeed(new Secret(Buffer.from(seed)));

describe.each(vectors)("the draft's vector $seed", ({ seed, pk, ct, ss }) => {
  test("gives the key and the secret", () => {
    const key = pair(bytes(seed));
    expect(Buffer.from(key.publicKey).toString("hex")).toBe(pk);
    expect(key.decapsulate(bytes(ct)).expose().toString("hex")).toBe(ss);
  });
});

test("the vectors are there, so that the test above means something", () => {
  expect(vectors).toHaveLength(3);
});

test("agrees with a second implementation in both directions", () => {
  const seed = Buffer.alloc(32, 5);
  const theirs = noble.keygen(seed);
  const ours = pair(seed);
  expect(Buffer.from(theirs.publicKey)).toEqual(Buffer.from(ours.publicKey));
  const toThem = xWing.encapsulate(theirs.publicKey);
  expect(Buffer.from(noble.decapsulate(toThem.ciphertext, theirs.secretKey))).toEqual(
    toThem.sharedSecret.expose(),
  );
  const toUs = noble.encapsulate(ours.publicKey);
  expect(ours.decapsulate(toUs.cipherText).expose()).toEqual(Buffer.from(toUs.sharedSecret));
});

test("a changed ciphertext gives another secret, in either half", () => {
  const key = pair(Buffer.alloc(32, 6));
  const { ciphertext, sharedSecret } = xWing.encapsulate(key.publicKey);
  for (const at of [0, 1087, 1088, 1119]) {
    const changed = Buffer.from(ciphertext);
    changed[at]! ^= 1;
    expect(key.decapsulate(changed).expose()).not.toEqual(sharedSecret.expose());
  }
});

test.each([0, X_WING_CIPHERTEXT_BYTES - 1, X_WING_CIPHERTEXT_BYTES + 1])(
  "a ciphertext of %s bytes is refused",
  (length) => {
    const key = pair(Buffer.alloc(32, 7));
    expect(() => key.decapsulate(Buffer.alloc(length))).toThrow(CryptoError);
  },
);

test.each([0, X_WING_PUBLIC_BYTES - 1, X_WING_PUBLIC_BYTES + 1])(
  "a public key of %s bytes is refused",
  (length) => {
    expect(() => xWing.encapsulate(Buffer.alloc(length))).toThrow(CryptoError);
  },
);
