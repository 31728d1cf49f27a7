/** What leaves an outbox: whole messages in order at any record size, and nothing left behind. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Inbox, type Received } from "./inbox.ts";
import { Outbox } from "./outbox.ts";
import { decodeRecord, EntryType } from "./record.ts";

const entriesOf = (outbox: Outbox, size: number) =>
  decodeRecord(outbox.take(size)).map(({ type, stream, data }) => [type, stream, data.toString()]);

function carry(outbox: Outbox, size: number, inbox = new Inbox(1_000_000)): Received[] {
  const received: Received[] = [];
  while (!outbox.isEmpty) received.push(...inbox.accept(outbox.take(size)));
  return received;
}

test("messages and ends arrive whole and in order at any record size", () => {
  const message = fc.uint8Array({ minLength: 1, maxLength: 400 }).map((data) => Buffer.from(data));
  const streams = fc.array(fc.array(message, { minLength: 1, maxLength: 4 }), { maxLength: 6 });
  // The smallest record has room for an end entry: 17 bytes.
  fc.assert(
    fc.property(streams, fc.integer({ min: 17, max: 600 }), (all, size) => {
      const outbox = new Outbox();
      const expected: Received[] = [];
      for (const [stream, messages] of all.entries()) {
        for (const bytes of messages) {
          expected.push({ type: "message", stream, bytes: Buffer.from(bytes) });
          outbox.push(stream, Buffer.from(bytes));
        }
        expected.push({ type: "end", stream });
        outbox.end(stream);
      }
      expect(carry(outbox, size)).toEqual(expected);
    }),
  );
});

test("a message that fits exactly is one entry, one byte more is two", () => {
  const outbox = new Outbox();
  outbox.push(1, Buffer.from("12345"));
  expect(outbox.pendingBytes).toBe(10);
  expect(entriesOf(outbox, 10)).toEqual([[EntryType.message, 1, "12345"]]);
  outbox.push(1, Buffer.from("123456"));
  expect(entriesOf(outbox, 10)).toEqual([[EntryType.part, 1, "12345"]]);
  expect(outbox.pendingBytes).toBe(6);
  expect(entriesOf(outbox, 10)).toEqual([[EntryType.message, 1, "6"]]);
  expect(outbox.isEmpty).toBe(true);
});

test("an end fits 17 bytes and waits for the next record where only 16 are left", () => {
  const outbox = new Outbox();
  outbox.push(1, Buffer.from("a"));
  outbox.end(1);
  expect(outbox.pendingBytes).toBe(23);
  expect(decodeRecord(outbox.take(22))).toHaveLength(1);
  expect(outbox.isEmpty).toBe(false);
  expect(decodeRecord(outbox.take(17))[0]!.type).toBe(EntryType.end);
  expect(outbox.isEmpty).toBe(true);
});

test("an end says how many entries and bytes its stream had, and another stream's do not count", () => {
  const outbox = new Outbox();
  outbox.push(1, Buffer.alloc(30, 1));
  outbox.push(2, Buffer.alloc(7, 2));
  outbox.end(1);
  outbox.take(25);
  const end = decodeRecord(outbox.take(200)).at(-1)!;
  expect(end.stream).toBe(1);
  expect([end.data.readUInt32BE(0), end.data.readBigUInt64BE(4)]).toEqual([2, 30n]);
});

test("an empty outbox gives a record of zeros", () => {
  expect(new Outbox().take(256)).toEqual(Buffer.alloc(256));
});

test("a message without a kind is refused, because it could never leave", () => {
  const outbox = new Outbox();
  expect(() => outbox.push(1, Buffer.alloc(0))).toThrow(RangeError);
  expect(outbox.isEmpty).toBe(true);
});

describe("append", () => {
  const kind = 0x83;
  const text = (outbox: Outbox) => entriesOf(outbox, 256).map(([, , data]) => data);

  test("joins what waits on the same stream with the same kind", () => {
    const outbox = new Outbox();
    outbox.append(1, kind, Buffer.from("Hel"));
    outbox.append(1, kind, Buffer.from("lo"));
    const [entry] = decodeRecord(outbox.take(64));
    expect(entry!.data).toEqual(Buffer.concat([Buffer.of(kind), Buffer.from("Hello")]));
  });

  test("begins a new message for another stream, another kind, or behind an end", () => {
    const outbox = new Outbox();
    outbox.append(1, 0x41, Buffer.from("a"));
    outbox.append(2, 0x41, Buffer.from("b"));
    outbox.append(2, 0x42, Buffer.from("c"));
    outbox.end(2);
    outbox.append(3, 0x42, Buffer.from("d"));
    expect(text(outbox).filter((_, index) => index !== 3)).toEqual(["Aa", "Ab", "Bc", "Bd"]);
  });

  test("begins a new message once the last one has begun to leave", () => {
    const outbox = new Outbox();
    outbox.append(1, 0x41, Buffer.from("12345678"));
    expect(entriesOf(outbox, 10)).toEqual([[EntryType.part, 1, "A1234"]]);
    outbox.append(1, 0x41, Buffer.from("9"));
    expect(text(outbox)).toEqual(["5678", "A9"]);
  });

  test("overwrites the caller's bytes", () => {
    const bytes = Buffer.from("secret");
    new Outbox().append(1, kind, bytes);
    expect(bytes).toEqual(Buffer.alloc(6));
  });
});

test("bytes are overwritten as they leave", () => {
  const outbox = new Outbox();
  const message = Buffer.from("1234567890");
  outbox.push(1, message);
  outbox.take(9);
  expect(message).toEqual(Buffer.concat([Buffer.alloc(4), Buffer.from("567890")]));
  outbox.take(64);
  expect(message).toEqual(Buffer.alloc(10));
});

test("erase overwrites what waits and forgets it", () => {
  const outbox = new Outbox();
  const messages = [Buffer.from("one"), Buffer.from("two")];
  for (const message of messages) outbox.push(1, message);
  outbox.erase();
  expect(messages).toEqual([Buffer.alloc(3), Buffer.alloc(3)]);
  expect([outbox.isEmpty, outbox.pendingBytes]).toEqual([true, 0]);
});
