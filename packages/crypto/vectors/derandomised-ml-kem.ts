/**
 * ML-KEM-768 whose every output follows from two seeds: for vectors and tests, never for a product.
 *
 * Source: FIPS 203, algorithms 16 and 17 (the internal, deterministic ones).
 *
 * @module
 */
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import sodium from "libsodium-wrappers";
import type { MlKem } from "../src/ml-kem.ts";

export interface KemSeeds {
  /** 64 bytes: d, then z. */
  readonly keySeed: Uint8Array;
  /** 32 bytes: m. */
  readonly encapsulationSeed: Uint8Array;
}

export async function libsodiumFrom({ keySeed, encapsulationSeed }: KemSeeds): Promise<MlKem> {
  await sodium.ready;
  return {
    name: "libsodium",
    generate() {
      const { publicKey, privateKey } = sodium.crypto_kem_mlkem768_seed_keypair(keySeed);
      return {
        publicKey,
        decapsulate: (c) => Buffer.from(sodium.crypto_kem_mlkem768_dec(c, privateKey)),
        erase: () => {},
      };
    },
    encapsulate(untrusted) {
      const { ciphertext, sharedSecret } = sodium.crypto_kem_mlkem768_enc_deterministic(
        untrusted,
        encapsulationSeed,
      );
      return { ciphertext, sharedSecret: Buffer.from(sharedSecret) };
    },
  };
}

/** @noble/post-quantum behind our interface; random without seeds. */
export function nobleFrom(seeds?: KemSeeds): MlKem {
  return {
    name: "libsodium",
    generate() {
      const { publicKey, secretKey } = ml_kem768.keygen(seeds?.keySeed);
      return {
        publicKey,
        decapsulate: (c) => Buffer.from(ml_kem768.decapsulate(c, secretKey)),
        erase: () => {},
      };
    },
    encapsulate(untrusted) {
      const { cipherText, sharedSecret } = ml_kem768.encapsulate(
        untrusted,
        seeds?.encapsulationSeed,
      );
      return { ciphertext: cipherText, sharedSecret: Buffer.from(sharedSecret) };
    },
  };
}
