/** ML-KEM-768: every implementation of ours with every other, and what each must refuse. */
import { describe, expect, test } from "vitest";
import { badEncapsulationKeys, withCoefficient } from "../vectors/bad-keys.ts";
import { nobleFrom } from "../vectors/derandomised-ml-kem.ts";
import { loadMlKem, ML_KEM_CIPHERTEXT_BYTES, ML_KEM_PUBLIC_BYTES } from "./ml-kem.ts";

const coded = (code: string) => expect.objectContaining({ name: "CryptoError", code });
const ours = [await loadMlKem("native"), await loadMlKem("libsodium")];
const all = [...ours, { ...nobleFrom(), name: "noble" as const }];

test.each(ours.flatMap((kem) => all.map((peer) => ({ kem, peer }))))(
  "$kem.name and $peer.name share a secret both ways",
  ({ kem, peer }) => {
    for (const [owner, other] of [
      [kem, peer],
      [peer, kem],
    ] as const) {
      const keys = owner.generate();
      const { ciphertext, sharedSecret } = other.encapsulate(keys.publicKey);
      expect(ciphertext).toHaveLength(ML_KEM_CIPHERTEXT_BYTES);
      expect(keys.publicKey).toHaveLength(ML_KEM_PUBLIC_BYTES);
      expect(sharedSecret).toHaveLength(32);
      expect(keys.decapsulate(ciphertext)).toEqual(sharedSecret);
    }
  },
);

describe.each(ours)("$name", (kem) => {
  const good = kem.generate();

  test.each(badEncapsulationKeys(good.publicKey))("refuses a key with $name", ({ key }) => {
    expect(() => kem.encapsulate(key)).toThrow(coded("ERR_BAD_KEY"));
  });

  test("takes a key with a coefficient just below the modulus", () => {
    const key = withCoefficient(good.publicKey, 0, 3328);
    expect(kem.encapsulate(key).ciphertext).toHaveLength(ML_KEM_CIPHERTEXT_BYTES);
  });

  test.each([0, ML_KEM_PUBLIC_BYTES - 1, ML_KEM_PUBLIC_BYTES + 1])(
    "refuses a key of %d bytes",
    (length) => {
      expect(() => kem.encapsulate(new Uint8Array(length))).toThrow(coded("ERR_LENGTH"));
    },
  );

  test.each([0, ML_KEM_CIPHERTEXT_BYTES - 1, ML_KEM_CIPHERTEXT_BYTES + 1])(
    "refuses a ciphertext of %d bytes",
    (length) => {
      expect(() => good.decapsulate(new Uint8Array(length))).toThrow(coded("ERR_LENGTH"));
    },
  );

  test("gives a secret that nobody else has for a forged ciphertext, and always the same", () => {
    const { ciphertext, sharedSecret } = kem.encapsulate(good.publicKey);
    const forged = Uint8Array.from(ciphertext);
    forged[500]! ^= 1;
    expect(good.decapsulate(forged)).not.toEqual(sharedSecret);
    expect(good.decapsulate(forged)).toEqual(good.decapsulate(forged));
  });

  test("makes new keys and new secrets each time", () => {
    const first = kem.encapsulate(good.publicKey);
    expect(kem.generate().publicKey).not.toEqual(good.publicKey);
    expect(kem.encapsulate(good.publicKey).sharedSecret).not.toEqual(first.sharedSecret);
  });
});

test("an erased libsodium key no longer finds the secret", async () => {
  const kem = await loadMlKem("libsodium");
  const keys = kem.generate();
  const { ciphertext, sharedSecret } = kem.encapsulate(keys.publicKey);
  keys.erase();
  expect(keys.decapsulate(ciphertext)).not.toEqual(sharedSecret);
});
