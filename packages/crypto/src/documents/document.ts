/**
 * The one envelope of everything that is signed.
 *
 *   offset  size  field
 *        0     1  type     what kind of document; a closed list
 *        1     1  version  of its layout
 *        2     n  fields   as the layout says, big-endian
 *      2+n    64  signature Ed25519 over domain string, then all bytes before the signature
 *
 * There is no algorithm field: a new algorithm is a new version. Specified in PROTOCOL.md,
 * section 7; C reads the same committed vectors.
 *
 * @module
 */
import { createHash, type KeyObject } from "node:crypto";
import { CryptoError } from "../crypto-error.ts";
import { ED25519_SIGNATURE_BYTES, signEd25519, verifyEd25519 } from "../ed25519.ts";
import { FieldReader, group, type Field, type ValuesOf } from "./fields.ts";

/** More than any document needs; a longer one is refused before it is looked at. */
export const MAX_DOCUMENT_BYTES = 65_535;

const HEADER_BYTES = 2;

export interface DocumentKind<T> {
  readonly name: string;
  sign(fields: T, privateKey: KeyObject): Uint8Array;
  /**
   * Reads a document and verifies it with the key that `findKey` gives for its fields.
   *
   * @param findKey sees fields that are not yet authenticated: it may look up, not act;
   * `undefined` means that nobody may sign this
   * @throws {@link CryptoError} `ERR_LENGTH`, `ERR_DOCUMENT_TYPE`, `ERR_DOCUMENT_FIELD`,
   * `ERR_NOT_AUTHORISED` or `ERR_AUTHENTICATION`
   */
  open(untrusted: Uint8Array, findKey: (unverified: T) => Uint8Array | undefined): T;
}

/** A kind of document from its number, layout version, name and fields in order. */
export function documentKind<F extends Readonly<Record<string, Field<any>>>>(
  type: number,
  version: number,
  name: string,
  layout: F,
): DocumentKind<ValuesOf<F>> {
  const fields = group(layout);
  const domain = Buffer.from(`phantoma ${name} v${version}\0`, "ascii");

  return {
    name,
    sign(values, privateKey) {
      const parts = [Buffer.of(type, version)];
      fields.write(parts, values);
      const body = Buffer.concat(parts);
      const signature = signEd25519(privateKey, Buffer.concat([domain, body]));
      const document = Buffer.concat([body, signature]);
      if (document.length > MAX_DOCUMENT_BYTES)
        throw new CryptoError("ERR_LENGTH", `${name} of ${document.length} bytes`);
      return new Uint8Array(document);
    },
    open(untrusted, findKey) {
      const bodyLength = untrusted.length - ED25519_SIGNATURE_BYTES;
      if (bodyLength < HEADER_BYTES || untrusted.length > MAX_DOCUMENT_BYTES)
        throw new CryptoError("ERR_LENGTH", `no ${name} has ${untrusted.length} bytes`);
      if (untrusted[0] !== type || untrusted[1] !== version)
        throw new CryptoError("ERR_DOCUMENT_TYPE", `not a ${name} of version ${version}`);
      const body = untrusted.subarray(0, bodyLength);
      const input = new FieldReader(body.subarray(HEADER_BYTES));
      const unverified = fields.read(input);
      if (input.remaining > 0) throw new CryptoError("ERR_LENGTH", `bytes after the ${name}`);
      const key = findKey(unverified);
      if (!key) throw new CryptoError("ERR_NOT_AUTHORISED", `nobody known signed this ${name}`);
      const signed = Buffer.concat([domain, body]);
      if (!verifyEd25519(key, signed, untrusted.subarray(bodyLength)))
        throw new CryptoError("ERR_AUTHENTICATION", `the signature of this ${name} is wrong`);
      return unverified;
    },
  };
}

/** The name of a document elsewhere: SHA-256 over all its bytes, signature included. */
export function documentHash(document: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(document).digest());
}
