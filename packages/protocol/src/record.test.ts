/** The plaintext of a record: its layout byte by byte, and everything that is refused. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeRecord, encodeEntry, ENTRY_HEADER_BYTES, EntryType } from "./record.ts";

const malformed = expect.objectContaining({ name: "ProtocolError", code: "ERR_MALFORMED" });
const bytes = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex");

test("an entry is type, stream, length and data, big-endian", () => {
  const record = Buffer.alloc(9);
  const end = encodeEntry(record, 0, EntryType.message, 0x0102, Buffer.from("abc"));
  expect(record).toEqual(bytes("02 0102 0003 616263 00"));
  expect(end).toBe(8);
});

test("entries come back as they were written, whatever padding follows", () => {
  const entry = fc.record({
    type: fc.constantFrom(...Object.values(EntryType)),
    stream: fc.integer({ min: 0, max: 65_535 }),
    data: fc.uint8Array({ maxLength: 300 }).map((data) => Buffer.from(data)),
  });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 8 }), fc.nat(700), (entries, padding) => {
      const size = entries.reduce((sum, { data }) => sum + ENTRY_HEADER_BYTES + data.length, 0);
      const record = Buffer.alloc(size + padding);
      let offset = 0;
      for (const { type, stream, data } of entries)
        offset = encodeEntry(record, offset, type, stream, data);
      expect(offset).toBe(size);
      expect(decodeRecord(record)).toEqual(entries);
    }),
  );
});

test.each([0, 1, 256])("a record of %i zeros is a dummy", (length) => {
  expect(decodeRecord(Buffer.alloc(length))).toEqual([]);
});

test("a single byte of padding that is not zero is refused, wherever it lies", () => {
  const record = bytes("02 0001 0001 61 00 00 00 00");
  expect(decodeRecord(record)).toHaveLength(1);
  for (const offset of [7, 8, 9]) {
    const changed = Buffer.from(record);
    changed[offset] = 1;
    expect(() => decodeRecord(changed)).toThrow(malformed);
  }
});

test("an entry that ends with its record is read, one byte less is refused", () => {
  const record = bytes("02 0001 0003 616263");
  expect(decodeRecord(record)[0]!.data.toString()).toBe("abc");
  for (let length = 1; length < record.length; length += 1)
    expect(() => decodeRecord(record.subarray(0, length))).toThrow(malformed);
});

test.each([4, 5, 128, 255])("an entry of the unknown type %i is refused", (type) => {
  expect(() => decodeRecord(Buffer.of(type, 0, 1, 0, 0))).toThrow(malformed);
});

test("random bytes are entries or refused, never anything else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (untrusted) => {
      try {
        for (const { data } of decodeRecord(Buffer.from(untrusted)))
          expect(data.length).toBeLessThanOrEqual(untrusted.length - ENTRY_HEADER_BYTES);
      } catch (error) {
        expect(error).toEqual(malformed);
      }
    }),
  );
});
