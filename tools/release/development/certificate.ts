/**
 * X.509 certificates as Sigstore's authority makes them: a root, and leaves for ten minutes that name a build.
 *
 * Source: RFC 5280; RFC 6962, section 3.2 and 3.3 (the log's word in a certificate).
 *
 * @module
 */
import { createHash, sign, type KeyObject } from "node:crypto";
import { bits, context, integer, octets, oid, sequence, set, time, TRUE, utf8 } from "./der.ts";

/** Who built what: the certificate extensions that the verifier looks at. */
export interface BuildIdentity {
  readonly issuer: string;
  readonly repository: string;
  readonly subject: string;
  readonly workflow: string;
  readonly ref: string;
}

export interface Authority {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const ECDSA_WITH_SHA256 = sequence(oid("1.2.840.10045.4.3.2"));
const FULCIO = "1.3.6.1.4.1.57264.1";
const LEAF_LIFE_MS = 600_000;
const ROOT_LIFE_MS = 3650 * 86_400_000;
const AUTHORITY_NAME = sequence(
  set(sequence(oid("2.5.4.3"), utf8("phantoma development authority"))),
);

export function rootCertificate(authority: Authority, nowMs: number): Buffer {
  const extensions = [
    extension("2.5.29.15", bits(Buffer.of(0x06), 1), true),
    extension("2.5.29.19", sequence(TRUE), true),
    extension("2.5.29.14", octets(keyHash(authority.publicKey))),
  ];
  const validity = [nowMs - 1000, nowMs + ROOT_LIFE_MS] as const;
  return signed(authority, body(authority.publicKey, AUTHORITY_NAME, validity, extensions));
}

/** A leaf for `publicKey`, with the word of a certificate log in it. */
export function leafCertificate(
  authority: Authority,
  log: Authority,
  publicKey: KeyObject,
  identity: BuildIdentity,
  nowMs: number,
): Buffer {
  const extensions = [
    extension("2.5.29.15", bits(Buffer.of(0x80), 7), true),
    extension("2.5.29.37", sequence(oid("1.3.6.1.5.5.7.3.3"))),
    extension("2.5.29.14", octets(keyHash(publicKey))),
    extension("2.5.29.35", sequence(context(0, false, keyHash(authority.publicKey)))),
    extension("2.5.29.17", sequence(context(6, false, Buffer.from(identity.subject))), true),
    extension(`${FULCIO}.8`, utf8(identity.issuer)),
    extension(`${FULCIO}.9`, utf8(identity.subject)),
    extension(`${FULCIO}.12`, utf8(identity.repository)),
    extension(`${FULCIO}.14`, utf8(identity.ref)),
    extension(`${FULCIO}.18`, utf8(identity.workflow)),
  ];
  const validity = [nowMs - 1000, nowMs + LEAF_LIFE_MS] as const;
  const make = (all: readonly Buffer[]) => body(publicKey, sequence(), validity, all);
  const list = timestampList(authority, log, make(extensions), nowMs);
  return signed(
    authority,
    make([...extensions, extension("1.3.6.1.4.1.11129.2.4.2", octets(list))]),
  );
}

export function spki(key: KeyObject): Buffer {
  return key.export({ format: "der", type: "spki" });
}

export function keyHash(key: KeyObject): Buffer {
  return createHash("sha256").update(spki(key)).digest();
}

function body(
  publicKey: KeyObject,
  subject: Buffer,
  [notBefore, notAfter]: readonly [number, number],
  extensions: readonly Buffer[],
): Buffer {
  return sequence(
    context(0, true, integer(Buffer.of(2))),
    // Of the key: what the log sees and the certificate must have the same one.
    integer(keyHash(publicKey).subarray(0, 16)),
    ECDSA_WITH_SHA256,
    AUTHORITY_NAME,
    sequence(time(new Date(notBefore)), time(new Date(notAfter))),
    subject,
    spki(publicKey),
    context(3, true, sequence(...extensions)),
  );
}

function signed({ privateKey }: Authority, tbs: Buffer): Buffer {
  return sequence(tbs, ECDSA_WITH_SHA256, bits(sign("sha256", tbs, privateKey)));
}

function extension(id: string, value: Buffer, isCritical = false): Buffer {
  return sequence(oid(id), ...(isCritical ? [TRUE] : []), octets(value));
}

/** A list of one signed certificate timestamp. */
function timestampList(authority: Authority, log: Authority, tbs: Buffer, nowMs: number): Buffer {
  const at = Buffer.alloc(8);
  at.writeBigUInt64BE(BigInt(nowMs));
  const entry = Buffer.concat([Buffer.of(0, 1), keyHash(authority.publicKey), length(tbs, 3), tbs]);
  const word = sign(
    "sha256",
    Buffer.concat([Buffer.of(0, 0), at, entry, Buffer.of(0, 0)]),
    log.privateKey,
  );
  const timestamp = Buffer.concat([
    Buffer.of(0),
    keyHash(log.publicKey),
    at,
    Buffer.of(0, 0, 4, 3),
    length(word, 2),
    word,
  ]);
  const entryOfList = Buffer.concat([length(timestamp, 2), timestamp]);
  return Buffer.concat([length(entryOfList, 2), entryOfList]);
}

function length(bytes: Uint8Array, width: number): Buffer {
  const buffer = Buffer.alloc(width);
  buffer.writeUIntBE(bytes.length, 0, width);
  return buffer;
}
