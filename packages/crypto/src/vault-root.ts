/**
 * What a vault holds, as rows of fixed size, and one digest over all of them.
 *
 *   offset  size  field of a row
 *        0     8  object    its random name
 *        8     4  revision  1, 2, 3, …; big-endian
 *       12    32  hash      SHA-256 of the sealed bytes
 *
 * The root is SHA-256 over a domain string and all rows in the order of their names. Specified in PROTOCOL.md,
 * section 8.2.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { CryptoError } from "./crypto-error.ts";

export const VAULT_OBJECT_BYTES = 8;
export const VAULT_ROW_BYTES = 44;

/** Conversations of one person; their list stays below a response's limit in a few pages. */
export const MAX_VAULT_OBJECTS = 16_384;

/** One sealed object: in base64, with what is around it, it fits into one response. */
export const MAX_VAULT_BLOB_BYTES = 524_288;

const DOMAIN = Buffer.from("phantoma vault root v1\0", "ascii");

export interface VaultRow {
  /** In hex. */
  readonly object: string;
  readonly revision: number;
  /** SHA-256 of the sealed bytes, in hex. */
  readonly hash: string;
}

export function encodeVaultRow({ object, revision, hash }: VaultRow): Buffer {
  const row = Buffer.alloc(VAULT_ROW_BYTES);
  row.write(object, 0, VAULT_OBJECT_BYTES, "hex");
  row.writeUInt32BE(revision, VAULT_OBJECT_BYTES);
  row.write(hash, VAULT_OBJECT_BYTES + 4, "hex");
  return row;
}

/** @throws {@link CryptoError} `ERR_LENGTH` */
export function decodeVaultRows(untrusted: Uint8Array): VaultRow[] {
  const bytes = Buffer.from(untrusted.buffer, untrusted.byteOffset, untrusted.byteLength);
  if (bytes.length % VAULT_ROW_BYTES !== 0)
    throw new CryptoError("ERR_LENGTH", "not whole rows of a vault");
  return Array.from({ length: bytes.length / VAULT_ROW_BYTES }, (_, i) => {
    const at = i * VAULT_ROW_BYTES;
    return {
      object: bytes.toString("hex", at, at + VAULT_OBJECT_BYTES),
      revision: bytes.readUInt32BE(at + VAULT_OBJECT_BYTES),
      hash: bytes.toString("hex", at + VAULT_OBJECT_BYTES + 4, at + VAULT_ROW_BYTES),
    };
  });
}

export function vaultRoot(rows: Iterable<VaultRow>): Uint8Array {
  const hash = createHash("sha256").update(DOMAIN);
  // By code unit, which for hex is by byte.
  for (const row of [...rows].sort((a, b) => (a.object < b.object ? -1 : 1)))
    hash.update(encodeVaultRow(row));
  return new Uint8Array(hash.digest());
}
