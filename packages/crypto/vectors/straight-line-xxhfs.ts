/**
 * Noise XXhfs a second time, in one straight line that knows both sides' private keys: the oracle
 * for the vectors. Shares no code with the product: its KEM is @noble/post-quantum, its HKDF
 * RFC 5869's, its keys are JWKs.
 *
 * Source: Noise rev. 34, sections 5, 7.5 and 11.3; hfs extension rev. 1, section 4.
 *
 * @module
 */
import {
  createCipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
} from "node:crypto";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";

/** What both sides would otherwise draw at random; X25519 private keys and FIPS 203 seeds. */
export interface XxhfsInputs {
  readonly prologue: Uint8Array;
  readonly initiatorStatic: Uint8Array;
  readonly initiatorEphemeral: Uint8Array;
  readonly initiatorKemSeed: Uint8Array;
  readonly responderStatic: Uint8Array;
  readonly responderEphemeral: Uint8Array;
  readonly responderKemSeed: Uint8Array;
  readonly certificate: Uint8Array;
}

export interface XxhfsOutputs {
  readonly messages: readonly Buffer[];
  readonly handshakeHash: Buffer;
  /** The sealed record number `index` of one direction, with as many rekeys as are due. */
  record(from: "initiator" | "responder", index: number, payload: Uint8Array): Buffer;
}

const RECORDS_PER_KEY = 65_536;

export function straightLineXxhfs(inputs: XxhfsInputs): XxhfsOutputs {
  const { prologue, initiatorEphemeral: ei, responderEphemeral: er } = inputs;
  const { initiatorStatic: si, responderStatic: sr, certificate } = inputs;
  const kem = ml_kem768.keygen(inputs.initiatorKemSeed);
  const encapsulated = ml_kem768.encapsulate(kem.publicKey, inputs.responderKemSeed);

  // A protocol name of more than 32 bytes is hashed.
  let h = sha256(Buffer.from("Noise_XXhfs_25519+MLKEM768_AESGCM_SHA256"));
  let ck = h;
  h = sha256(h, prologue);

  // Message 1: e, e1.
  h = sha256(h, publicOf(ei));
  h = sha256(h, kem.publicKey);
  h = sha256(h);
  const message1 = Buffer.concat([publicOf(ei), kem.publicKey]);

  // Message 2: e, ee, ekem1, s, es.
  h = sha256(h, publicOf(er));
  const afterEe = hkdf(ck, agree(er, publicOf(ei)));
  const kemCiphertext = gcm(afterEe.k, 0n, h, encapsulated.cipherText);
  h = sha256(h, kemCiphertext);
  const shared = ml_kem768.decapsulate(encapsulated.cipherText, kem.secretKey);
  const afterKem = hkdf(afterEe.ck, shared);
  const responderKey = gcm(afterKem.k, 0n, h, publicOf(sr));
  h = sha256(h, responderKey);
  const afterEs = hkdf(afterKem.ck, agree(ei, publicOf(sr)));
  const sealedCertificate = gcm(afterEs.k, 0n, h, certificate);
  h = sha256(h, sealedCertificate);
  const message2 = Buffer.concat([publicOf(er), kemCiphertext, responderKey, sealedCertificate]);

  // Message 3: s, se. The key of message 2 has counted one message.
  const initiatorKey = gcm(afterEs.k, 1n, h, publicOf(si));
  h = sha256(h, initiatorKey);
  const afterSe = hkdf(afterEs.ck, agree(er, publicOf(si)));
  const empty = gcm(afterSe.k, 0n, h, new Uint8Array(0));
  h = sha256(h, empty);
  const message3 = Buffer.concat([initiatorKey, empty]);

  // Split: the first output is the initiator's direction.
  ck = afterSe.ck;
  const { ck: fromInitiator, k: fromResponder } = hkdf(ck, new Uint8Array(0));
  return {
    messages: [message1, message2, message3],
    handshakeHash: h,
    record(from, index, payload) {
      let key = from === "initiator" ? fromInitiator : fromResponder;
      for (let due = RECORDS_PER_KEY; due <= index; due += RECORDS_PER_KEY) key = rekeyed(key);
      return gcm(key, BigInt(index), new Uint8Array(0), payload);
    },
  };
}

/** Noise rev. 34, section 11.3: the first 32 bytes of 32 zeros sealed under the last nonce. */
export function rekeyed(key: Uint8Array): Buffer {
  return gcm(key, 2n ** 64n - 1n, new Uint8Array(0), new Uint8Array(32)).subarray(0, 32);
}

/** AES-256-GCM under Noise's nonce: 32 zero bits, then the counter, big-endian. */
export function gcm(key: Uint8Array, counter: bigint, ad: Uint8Array, plain: Uint8Array): Buffer {
  const nonce = Buffer.from(counter.toString(16).padStart(24, "0"), "hex");
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: 16 });
  cipher.setAAD(ad);
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Noise's HKDF of two outputs is RFC 5869's of 64 bytes with an empty info. */
function hkdf(salt: Uint8Array, input: Uint8Array): { ck: Buffer; k: Buffer } {
  const output = Buffer.from(hkdfSync("sha256", input, salt, "", 64));
  return { ck: output.subarray(0, 32), k: output.subarray(32) };
}

function sha256(...parts: Uint8Array[]): Buffer {
  return createHash("sha256").update(Buffer.concat(parts)).digest();
}

function agree(privateBytes: Uint8Array, publicBytes: Uint8Array): Buffer {
  const x = Buffer.from(publicBytes).toString("base64url");
  const publicKey = createPublicKey({ key: { kty: "OKP", crv: "X25519", x }, format: "jwk" });
  return diffieHellman({ privateKey: privateKeyOf(privateBytes), publicKey });
}

function publicOf(privateBytes: Uint8Array): Buffer {
  const { x } = createPublicKey(privateKeyOf(privateBytes)).export({ format: "jwk" });
  return Buffer.from(x!, "base64url");
}

function privateKeyOf(privateBytes: Uint8Array): ReturnType<typeof createPrivateKey> {
  const der = Buffer.concat([Buffer.from("302e020100300506032b656e04220420", "hex"), privateBytes]);
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
}
