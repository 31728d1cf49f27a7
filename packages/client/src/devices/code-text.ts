/**
 * Bytes as a code that is copied, sent or scanned: a prefix that says what it is, and a check against a part that
 * was left out on the way. The check is no protection: the six words are.
 *
 *   phantoma-KIND:BASE64URL( bytes · first 4 of SHA-256(KIND, bytes) )
 *
 * @module
 */
import { createHash } from "node:crypto";
import { ClientError } from "../client-error.ts";

const CHECK_BYTES = 4;
/** Characters: a code with a certificate has about 900, and a QR picture ends at 2,953. */
export const MAX_CODE_CHARS = 2_900;

export type CodeKind = "invite" | "device";

export function encodeCode(kind: CodeKind, bytes: Uint8Array): string {
  return `phantoma-${kind}:${Buffer.concat([bytes, checkOf(kind, bytes)]).toString("base64url")}`;
}

/** @throws {@link ClientError} `ERR_PAIRING_CODE` */
export function decodeCode(kind: CodeKind, untrusted: string): Buffer {
  // A mail or a narrow window breaks long lines.
  const text = untrusted.replace(/\s+/g, "");
  if (text.length > MAX_CODE_CHARS) refuse("it is too long for a code");
  const [, found, body] = /^phantoma-(invite|device):([A-Za-z0-9_-]+)$/.exec(text) ?? [];
  if (found === undefined || body === undefined) refuse("it does not begin as a code does");
  if (found !== kind) refuse(kind === "invite" ? THAT_IS_A_DEVICE : THAT_IS_AN_INVITATION);
  const all = Buffer.from(body, "base64url");
  const bytes = all.subarray(0, Math.max(0, all.length - CHECK_BYTES));
  if (!checkOf(kind, bytes).equals(all.subarray(bytes.length))) refuse("a part of it is missing");
  return bytes;
}

const THAT_IS_A_DEVICE = "it is the code of a device; an invitation is wanted";
const THAT_IS_AN_INVITATION = "it is an invitation; the new device's own code is wanted";

function checkOf(kind: CodeKind, bytes: Uint8Array): Buffer {
  const hash = createHash("sha256").update(`phantoma code ${kind} v1\0`).update(bytes).digest();
  return hash.subarray(0, CHECK_BYTES);
}

function refuse(message: string): never {
  throw new ClientError("ERR_PAIRING_CODE", message);
}
