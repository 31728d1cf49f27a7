/** What an inbox takes: streams, counts and lengths within bounds, and nothing beyond them. */
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { Inbox } from "./inbox.ts";
import { MAX_LIVE_STREAMS } from "./limits.ts";
import { encodeEntry, ENTRY_HEADER_BYTES, EntryType } from "./record.ts";

const failing = (code: string) => expect.objectContaining({ name: "ProtocolError", code });
const malformed = failing("ERR_MALFORMED");
const overLimit = failing("ERR_LIMIT");

type Sent = readonly [type: EntryType, stream: number, data: Buffer];
const part = (stream: number, text: string): Sent => [EntryType.part, stream, Buffer.from(text)];
const message = (stream: number, text: string): Sent => [
  EntryType.message,
  stream,
  Buffer.from(text),
];

function end(stream: number, entries: number, bytes: number): Sent {
  const data = Buffer.alloc(12);
  data.writeUInt32BE(entries, 0);
  data.writeBigUInt64BE(BigInt(bytes), 4);
  return [EntryType.end, stream, data];
}

function record(...entries: Sent[]): Buffer {
  const size = entries.reduce((sum, [, , data]) => sum + ENTRY_HEADER_BYTES + data.length, 0);
  const bytes = Buffer.alloc(size);
  let offset = 0;
  for (const [type, stream, data] of entries)
    offset = encodeEntry(bytes, offset, type, stream, data);
  return bytes;
}

test("parts of several streams may be interleaved", () => {
  const inbox = new Inbox(100);
  inbox.accept(record(part(1, "a"), part(2, "x")));
  const received = inbox.accept(record(message(2, "y"), message(1, "b")));
  expect(received.map((event) => event.type === "message" && event.bytes.toString())).toEqual([
    "xy",
    "ab",
  ]);
});

test("what was received stays when the record's buffer is overwritten", () => {
  const bytes = record(message(1, "kept"));
  const [event] = new Inbox(100).accept(bytes);
  bytes.fill(0);
  expect(event).toEqual({ type: "message", stream: 1, bytes: Buffer.from("kept") });
});

describe("the end of a stream", () => {
  test("is accepted with its own counts", () => {
    const inbox = new Inbox(100);
    inbox.accept(record(part(1, "ab"), message(1, "c"), message(1, "d")));
    expect(inbox.accept(record(end(1, 3, 4)))).toEqual([{ type: "end", stream: 1 }]);
    expect(inbox.liveStreams).toEqual([]);
  });

  test.each([
    ["too few entries", end(1, 1, 3)],
    ["too many entries", end(1, 3, 3)],
    ["too few bytes", end(1, 2, 2)],
    ["too many bytes", end(1, 2, 4)],
    ["bytes that differ above 32 bits", end(1, 2, 3 + 2 ** 32)],
    ["11 bytes of data", [EntryType.end, 1, end(1, 2, 3)[2].subarray(0, 11)] as const],
    [
      "13 bytes of data",
      [EntryType.end, 1, Buffer.concat([end(1, 2, 3)[2], Buffer.of(0)])] as const,
    ],
  ])("with %s is refused", (_name, wrong) => {
    const inbox = new Inbox(100);
    inbox.accept(record(message(1, "ab"), message(1, "c")));
    expect(() => inbox.accept(record(wrong))).toThrow(malformed);
  });

  test("in the middle of a message is refused", () => {
    const inbox = new Inbox(100);
    inbox.accept(record(part(1, "ab")));
    expect(() => inbox.accept(record(end(1, 1, 2)))).toThrow(malformed);
  });

  test("may be all that a stream has", () => {
    expect(new Inbox(100).accept(record(end(1, 0, 0)))).toEqual([{ type: "end", stream: 1 }]);
  });

  test.each([message(1, "again"), part(1, "again"), end(1, 0, 0)])(
    "is final: the stream is never used again",
    (...again) => {
      const inbox = new Inbox(100);
      inbox.accept(record(message(1, "a"), end(1, 1, 1)));
      expect(() => inbox.accept(record(again))).toThrow(malformed);
    },
  );
});

test("streams begin in any order, because answers do, and a lower one is not an ended one", () => {
  const inbox = new Inbox(100);
  inbox.accept(record(message(0, "a"), message(5, "b"), end(5, 1, 1)));
  expect(inbox.accept(record(message(4, "c"), message(0, "d")))).toHaveLength(2);
  expect(() => inbox.accept(record(message(5, "e")))).toThrow(malformed);
});

test(`${MAX_LIVE_STREAMS} streams may be live, one more is refused, and an ended one makes room`, () => {
  const full = () => {
    const inbox = new Inbox(100);
    for (let id = 0; id < MAX_LIVE_STREAMS; id += 1) inbox.accept(record(message(id, "a")));
    return inbox;
  };
  expect(full().liveStreams).toHaveLength(16);
  expect(() => full().accept(record(message(16, "a")))).toThrow(overLimit);
  const roomy = full();
  roomy.accept(record(end(3, 1, 1)));
  expect(roomy.accept(record(message(16, "a")))).toHaveLength(1);
});

test("a message at the limit is whole, one byte past it is refused before it is complete", () => {
  const inbox = new Inbox(10);
  inbox.accept(record(part(1, "12345")));
  expect(inbox.accept(record(message(1, "67890")))).toHaveLength(1);
  // The limit is a message's, not a stream's.
  expect(inbox.accept(record(message(1, "1234567890")))).toHaveLength(1);
  expect(() => inbox.accept(record(part(1, "12345678901")))).toThrow(overLimit);
});

test("a message without a kind is refused", () => {
  expect(() => new Inbox(10).accept(record(message(1, "")))).toThrow(malformed);
});

test("an empty part is refused, because endless ones would fill the memory under any limit", () => {
  expect(() => new Inbox(10).accept(record(part(1, "")))).toThrow(malformed);
});

test("erase overwrites what is not whole yet, and its stream stays cut", () => {
  const allocate = vi.spyOn(Buffer, "allocUnsafeSlow");
  onTestFinished(() => allocate.mockRestore());
  const inbox = new Inbox(100);
  inbox.accept(record(part(1, "secret"), part(2, "word"), message(3, "whole")));
  const held = allocate.mock.results.slice(-3).map(({ value }) => value.toString("latin1", 0, 6));
  expect(held.map((text) => text.slice(0, 4))).toEqual(["secr", "word", "whol"]);
  inbox.erase();
  for (const { value } of allocate.mock.results.slice(-3, -1))
    expect(value.includes("secret") || value.includes("word")).toBe(false);
  expect(inbox.liveStreams).toEqual([1, 2, 3]);
});

test("no error quotes what was received", () => {
  const canary = "CANARY-5d1c";
  const inbox = new Inbox(100);
  inbox.accept(record(message(1, canary)));
  for (const wrong of [end(1, 9, 9), end(0, 1, 0), part(1, canary.repeat(10))]) {
    let text = "";
    try {
      inbox.accept(record(wrong));
    } catch (error) {
      text = String(error);
    }
    expect(text).toMatch(/^ProtocolError: /);
    expect(text).not.toContain(canary);
  }
});
