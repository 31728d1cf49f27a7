/**
 * The plaintext of one sealed record: entries, then zeros up to the record's padded size.
 *
 *   entry   offset  size  field
 *                0     1  type    EntryType; 0 means that only zeros follow
 *                1     2  stream  big-endian
 *                3     2  length  of the data, big-endian
 *                5     n  data
 *
 * A record of nothing but zeros is a dummy. Specified in PROTOCOL.md, section 5.
 *
 * @module
 */
import { ProtocolError } from "./protocol-error.ts";

export const ENTRY_HEADER_BYTES = 5;

export const EntryType = {
  /** A part of a message; more of it follows. */
  part: 1,
  /** The last part of a message, often the only one. */
  message: 2,
  /** The authenticated end of this direction of a stream: entries (4 bytes), data bytes (8). */
  end: 3,
} as const;

export type EntryType = (typeof EntryType)[keyof typeof EntryType];

export interface Entry {
  readonly type: EntryType;
  readonly stream: number;
  /** A view into the record, valid as long as the record is. */
  readonly data: Buffer;
}

/**
 * The entries of an authenticated record.
 *
 * @throws {@link ProtocolError} `ERR_MALFORMED`
 */
export function decodeRecord(record: Buffer): Entry[] {
  const entries: Entry[] = [];
  let offset = 0;
  while (offset < record.length && record[offset] !== 0) {
    const entry = decodeEntry(record, offset);
    entries.push(entry);
    offset += ENTRY_HEADER_BYTES + entry.data.length;
  }
  if (record.subarray(offset).some((byte) => byte !== 0)) malformed("padding that is not zero");
  return entries;
}

/** Writes an entry at `offset` and gives the offset behind it; the caller made room for it. */
export function encodeEntry(
  record: Buffer,
  offset: number,
  type: EntryType,
  stream: number,
  data: Uint8Array,
): number {
  record.writeUInt8(type, offset);
  record.writeUInt16BE(stream, offset + 1);
  record.writeUInt16BE(data.length, offset + 3);
  record.set(data, offset + ENTRY_HEADER_BYTES);
  return offset + ENTRY_HEADER_BYTES + data.length;
}

function decodeEntry(record: Buffer, offset: number): Entry {
  if (record.length - offset < ENTRY_HEADER_BYTES) malformed("an entry is cut off");
  const type = record.readUInt8(offset);
  if (!isEntryType(type)) malformed(`no entry has type ${type}`);
  const start = offset + ENTRY_HEADER_BYTES;
  const end = start + record.readUInt16BE(offset + 3);
  if (end > record.length) malformed("an entry is longer than its record");
  return { type, stream: record.readUInt16BE(offset + 1), data: record.subarray(start, end) };
}

function isEntryType(type: number): type is EntryType {
  return type >= EntryType.part && type <= EntryType.end;
}

function malformed(message: string): never {
  throw new ProtocolError("ERR_MALFORMED", message);
}
