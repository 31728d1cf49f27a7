/**
 * A key that signs metadata, and its file: the key sealed under a passphrase, or the place of one on a token; its
 * public half beside it.
 *
 *   NAME.key      { person, keyid, public, kdf, sealed }   0600; scrypt, then AES-256-GCM
 *   NAME.key      { person, keyid, public, pkcs11 }        nothing in it is secret
 *   NAME.key.pub  { person, keyid, public }                for everybody
 *
 * @module
 */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  generateKeyPairSync,
  randomBytes,
  scryptSync,
  sign,
  type KeyObject,
} from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { isSignature, keyId } from "@phantoma/release";
import { Key } from "@tufjs/models";
import { z } from "zod";
import { readTokenKey, signOnToken, TokenPlace } from "./token.ts";

export interface PublicKey {
  readonly person: string;
  readonly keyid: string;
  readonly public: string;
}

export interface SigningKey extends PublicKey {
  /** Ed25519 in hex. */
  sign(bytes: Uint8Array): string;
}

/** 128 MiB and half a second per guess; the most that a small machine has. */
const SCRYPT = { N: 131_072, r: 8, p: 1 } as const;
const SCRYPT_MEMORY_BYTES = 160 * 1024 * 1024;
const TAG_BYTES = 16;
/** Guessed offline by whoever finds the file; four random words have 20 letters. */
export const MIN_PASSPHRASE_LETTERS = 16;

const Hex = z.string().regex(/^[0-9a-f]{64}$/);
const PublicFile = z.strictObject({ person: z.string().min(1).max(64), keyid: Hex, public: Hex });
const KeyFile = PublicFile.extend({
  kdf: z.strictObject({
    scrypt: z.strictObject({
      N: z.literal(SCRYPT.N),
      r: z.literal(SCRYPT.r),
      p: z.literal(SCRYPT.p),
    }),
    salt: z.base64(),
  }),
  sealed: z.base64(),
});
const TokenFile = PublicFile.extend({ pkcs11: TokenPlace });

/** A key that is in memory only. */
export function makeKey(person: string): SigningKey {
  return fromPrivate(person, generateKeyPairSync("ed25519").privateKey);
}

/** Makes a key and writes both files; neither may be there already. */
export function createKeyFile(path: string, person: string, passphrase: string): PublicKey {
  if (passphrase.length < MIN_PASSPHRASE_LETTERS)
    throw new Error(
      `a passphrase has at least ${MIN_PASSPHRASE_LETTERS} letters: take four random words`,
    );
  const { privateKey } = generateKeyPairSync("ed25519");
  const key = publicHalf(fromPrivate(person, privateKey));
  const salt = randomBytes(16);
  const [iv, pkcs8] = [randomBytes(12), privateKey.export({ format: "der", type: "pkcs8" })];
  const cipher = createCipheriv("aes-256-gcm", derive(passphrase, salt), iv, {
    authTagLength: TAG_BYTES,
  });
  cipher.setAAD(boundTo(key));
  const sealed = Buffer.concat([iv, cipher.update(pkcs8), cipher.final(), cipher.getAuthTag()]);
  pkcs8.fill(0);
  const kdf = { scrypt: SCRYPT, salt: salt.toString("base64") };
  const file = { ...key, kdf, sealed: sealed.toString("base64") };
  writeFileSync(path, json(file), { mode: 0o600, flag: "wx", flush: true });
  writeFileSync(`${path}.pub`, json(key), { flag: "wx", flush: true });
  return key;
}

/** Names a key that a token has, in both files; neither may be there already. */
export function createTokenFile(path: string, person: string, place: TokenPlace): PublicKey {
  const hex = readTokenKey(TokenPlace.parse(place));
  const key = { person, keyid: tufKey({ public: hex }).keyID, public: hex };
  writeFileSync(path, json({ ...key, pkcs11: place }), { mode: 0o600, flag: "wx", flush: true });
  writeFileSync(`${path}.pub`, json(key), { flag: "wx", flush: true });
  return key;
}

export function isTokenFile(path: string): boolean {
  return TokenFile.safeParse(JSON.parse(readFileSync(path, "utf8"))).success;
}

/** The PIN is tried when it signs. */
export function openTokenFile(path: string, pin: string): SigningKey {
  const { pkcs11, ...key } = TokenFile.parse(JSON.parse(readFileSync(path, "utf8")));
  return {
    ...key,
    sign(bytes) {
      const signature = signOnToken(pkcs11, pin, bytes);
      if (!isSignature(key.public, bytes, signature))
        throw new Error(`${pkcs11.token} signed with another key than ${path} names`);
      return signature;
    },
  };
}

/** @throws {Error} for a wrong passphrase and a changed file alike */
export function openKeyFile(path: string, passphrase: string): SigningKey {
  const { kdf, sealed, ...key } = KeyFile.parse(JSON.parse(readFileSync(path, "utf8")));
  const bytes = Buffer.from(sealed, "base64");
  const secret = derive(passphrase, Buffer.from(kdf.salt, "base64"));
  const decipher = createDecipheriv("aes-256-gcm", secret, bytes.subarray(0, 12), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(boundTo(key));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  let pkcs8: Buffer;
  try {
    pkcs8 = Buffer.concat([decipher.update(bytes.subarray(12, -TAG_BYTES)), decipher.final()]);
  } catch {
    throw new Error(`${path} does not open: the passphrase is wrong, or the file was changed`);
  }
  const opened = fromPrivate(
    key.person,
    createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" }),
  );
  pkcs8.fill(0);
  return opened;
}

export function readPublicKey(path: string): PublicKey {
  const key = PublicFile.parse(JSON.parse(readFileSync(path, "utf8")));
  if (keyId(tufKey(key)) !== key.keyid)
    throw new Error(`${path}: the key's name is not its digest`);
  return key;
}

export function tufKey(key: { readonly public: string; readonly keyid?: string }): Key {
  const options = {
    keyID: "",
    keyType: "ed25519",
    scheme: "ed25519",
    keyVal: { public: key.public },
  };
  return new Key({ ...options, keyID: key.keyid ?? keyId(new Key(options)) });
}

function fromPrivate(person: string, privateKey: KeyObject): SigningKey {
  const hex = Buffer.from(privateKey.export({ format: "jwk" }).x!, "base64url").toString("hex");
  return {
    person,
    keyid: tufKey({ public: hex }).keyID,
    public: hex,
    sign: (bytes) => sign(null, bytes, privateKey).toString("hex"),
  };
}

function publicHalf({ person, keyid, public: hex }: PublicKey): PublicKey {
  return { person, keyid, public: hex };
}

/** A sealed key cannot be put under another name. */
function boundTo({ person, keyid, public: hex }: PublicKey): Buffer {
  return Buffer.from(`phantoma release key\0${person}\0${keyid}\0${hex}`, "utf8");
}

function derive(passphrase: string, salt: Buffer): Buffer {
  return scryptSync(passphrase.normalize("NFKC"), salt, 32, {
    ...SCRYPT,
    maxmem: SCRYPT_MEMORY_BYTES,
  });
}

export function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
