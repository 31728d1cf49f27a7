/**
 * That a node goes on under another key: signed by the old key, and in it by an admin's device.
 *
 * Both are wanted: whoever stole the old key alone, or an admin's device alone, leads nobody to another node.
 *
 * @module
 */
import type { KeyObject } from "node:crypto";
import { CryptoError } from "../crypto-error.ts";
import { signEd25519, verifyEd25519 } from "../ed25519.ts";
import { sameBytes } from "./device-list.ts";
import { documentKind } from "./document.ts";
import { bytes, group, time, type ValuesOf } from "./fields.ts";

const approved = {
  /** The node's Ed25519 key of before, which signs. */
  from: bytes(32),
  /** Its key from now on. */
  to: bytes(32),
  /** SHA-256 of the first device list of the new key. */
  devices: bytes(32),
  issuedAt: time,
  /** The admin device that approved, by its Ed25519 key. */
  admin: bytes(32),
} as const;

const layout = {
  ...approved,
  /** The admin's, over all bytes before it. */
  approval: bytes(64),
} as const;

const [TYPE, VERSION] = [15, 1] as const;

/** Of every one: no field has a length of its own. */
export const SUCCESSION_BYTES = 2 + 3 * 32 + 8 + 32 + 64 + 64;

/** A key every few months for a decade; who had more keeps the newest of them, and follows no further. */
export const MAX_FORMER_KEYS = 32;

export type Succession = ValuesOf<typeof layout>;
export const successionDocument = documentKind(TYPE, VERSION, "node succession", layout);

/** The zero byte at the end is signed too. */
const APPROVAL_DOMAIN = Buffer.from("phantoma succession approval v1\0", "ascii");

/** What an admin's device signs; the node signs around it. */
export function approveSuccession(
  fields: Omit<Succession, "approval">,
  admin: KeyObject,
): Uint8Array {
  return signEd25519(admin, approvedBytes(fields));
}

/**
 * One that both signed. Whether that admin is one, the reader knows.
 *
 * @throws {@link CryptoError} `ERR_AUTHENTICATION` also when only the admin's part is not genuine
 */
export function openSuccession(untrusted: Uint8Array, from: Uint8Array): Succession {
  const opened = successionDocument.open(untrusted, (unverified) =>
    sameBytes(unverified.from, from) ? from : undefined,
  );
  if (!verifyEd25519(opened.admin, approvedBytes(opened), opened.approval))
    throw new CryptoError("ERR_AUTHENTICATION", "no admin's device approved this succession");
  return opened;
}

function approvedBytes(fields: Omit<Succession, "approval">): Buffer {
  const parts: Buffer[] = [APPROVAL_DOMAIN, Buffer.of(TYPE, VERSION)];
  group(approved).write(parts, fields);
  return Buffer.concat(parts);
}
