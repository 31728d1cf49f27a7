/** Messages over a session: what the network sees of their sizes, and what it may not change. */
import { MAX_SEALED_BYTES, TAG_BYTES } from "@phantoma/crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { REQUEST_RECORD_BYTES, STEADY_RECORD_BYTES } from "./limits.ts";
import { SecureChannel } from "./secure-channel.ts";
import { sessionPair } from "./test-session.ts";

const ENTRY = 5;
const unauthentic = expect.objectContaining({ name: "CryptoError", code: "ERR_AUTHENTICATION" });

let device: SecureChannel;
let worker: SecureChannel;
beforeEach(async () => {
  const sessions = await sessionPair();
  device = new SecureChannel(sessions.device, 1_000_000);
  worker = new SecureChannel(sessions.worker, 1_000_000);
});

const receive = (channel: SecureChannel, sealed: Buffer[]) =>
  sealed.flatMap((record) => channel.receive(record));
const sizes = (sealed: Buffer[]) => sealed.map(({ length }) => length - TAG_BYTES);

test("the padded sizes are 1, 4 and 16 KiB and the longest record there is", () => {
  expect(REQUEST_RECORD_BYTES).toEqual([1024, 4096, 16_384, MAX_SEALED_BYTES - TAG_BYTES]);
});

describe.each(REQUEST_RECORD_BYTES.map((size, index) => [size, REQUEST_RECORD_BYTES[index + 1]]))(
  "the padding class of %i bytes",
  (size, nextSize) => {
    test("holds every message up to its size", () => {
      const shorter = (REQUEST_RECORD_BYTES.findLast((other) => other < size) ?? 0) + 1;
      for (const bytes of [Math.max(shorter, ENTRY + 1), size]) {
        device.outbox.push(1, Buffer.alloc(bytes - ENTRY, 7));
        const sealed = device.flush();
        expect(sizes(sealed)).toEqual([size]);
        expect(receive(worker, sealed)).toMatchObject([{ type: "message", stream: 1 }]);
      }
    });

    test("gives way to the next with one byte more", () => {
      device.outbox.push(1, Buffer.alloc(size - ENTRY + 1, 7));
      const expected = nextSize === undefined ? [size, REQUEST_RECORD_BYTES[0]] : [nextSize];
      const sealed = device.flush();
      expect(sizes(sealed)).toEqual(expected);
      expect(receive(worker, sealed)).toHaveLength(1);
    });
  },
);

test("unpadded records are as long as what they say", () => {
  worker.outbox.push(1, Buffer.alloc(10, 1));
  expect(sizes(worker.flushUnpadded())).toEqual([15]);
  worker.outbox.push(1, Buffer.alloc(65_519 - ENTRY + 1, 1));
  worker.outbox.end(1);
  const sealed = worker.flushUnpadded();
  expect(sizes(sealed)).toEqual([65_519, 6 + 17]);
});

test("a steady record has one size, whether it says nothing, a little or a part", () => {
  const sealed = [worker.nextSteadyRecord()];
  worker.outbox.push(1, Buffer.from("short"));
  sealed.push(worker.nextSteadyRecord());
  worker.outbox.push(1, Buffer.alloc(300, 7));
  sealed.push(worker.nextSteadyRecord(), worker.nextSteadyRecord());
  expect(sizes(sealed)).toEqual([256, 256, 256, 256]);
  expect(STEADY_RECORD_BYTES).toBe(256);
  const received = receive(device, sealed);
  expect(received.map((event) => event.type === "message" && event.bytes.length)).toEqual([5, 300]);
});

test("nothing queued is nothing sent", () => {
  expect(device.flush()).toEqual([]);
  expect(device.flushUnpadded()).toEqual([]);
});

test("an answer that was cut shows as a live stream, a whole one does not", () => {
  worker.outbox.push(1, Buffer.from("whole"));
  worker.outbox.end(1);
  worker.outbox.push(2, Buffer.alloc(1000, 7));
  worker.outbox.end(2);
  const sealed = [worker.nextSteadyRecord(), worker.nextSteadyRecord()];
  receive(device, sealed);
  expect(device.cutStreams).toEqual([2]);
  while (!worker.outbox.isEmpty) device.receive(worker.nextSteadyRecord());
  expect(device.cutStreams).toEqual([]);
});

describe("of three records", () => {
  const threeRecords = () =>
    ["a", "b", "c"].map((text) => {
      device.outbox.push(1, Buffer.from(text));
      return device.flush()[0]!;
    });

  test("a repeated one is refused", () => {
    const [first] = threeRecords();
    worker.receive(first!);
    expect(() => worker.receive(first!)).toThrow(unauthentic);
  });

  test("a missing one makes the next one refused", () => {
    const [first, , third] = threeRecords();
    worker.receive(first!);
    expect(() => worker.receive(third!)).toThrow(unauthentic);
  });

  test("two that were swapped are refused", () => {
    const [first, second] = threeRecords();
    expect(() => worker.receive(second!)).toThrow(unauthentic);
    expect(worker.receive(first!)).toHaveLength(1);
  });

  test("one cut by a byte, or with a flipped bit, is refused", () => {
    const [first] = threeRecords();
    const flipped = Buffer.from(first!);
    flipped[3]! ^= 1;
    expect(() => worker.receive(first!.subarray(0, -1))).toThrow(unauthentic);
    expect(() => worker.receive(flipped)).toThrow(unauthentic);
  });

  test("one reflected to its sender is refused", () => {
    expect(() => device.receive(threeRecords()[0]!)).toThrow(unauthentic);
  });
});

test("a record that breaks the protocol is refused though it is authentic", async () => {
  const sessions = await sessionPair();
  const receiver = new SecureChannel(sessions.worker, 100);
  const badPadding = sessions.device.seal(Buffer.of(0, 1));
  expect(() => receiver.receive(badPadding)).toThrow(
    expect.objectContaining({ name: "ProtocolError", code: "ERR_MALFORMED" }),
  );
});

test("an erased channel says nothing more, and what waited is overwritten", () => {
  const message = Buffer.from("waits");
  device.outbox.push(1, message);
  device.erase();
  expect(message).toEqual(Buffer.alloc(5));
  expect(() => device.nextSteadyRecord()).toThrow(
    expect.objectContaining({ code: "ERR_STEP_REUSED" }),
  );
});
