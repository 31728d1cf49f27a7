/** Frames between processes: cut anywhere, bounded, and a link that closes on any surprise. */
import { duplexPair } from "node:stream";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeFrame, FrameDecoder, FrameLink, FRAME_HEADER_BYTES, type Frame } from "./frames.ts";

const LIMIT = 100;

test("a frame is its kind, its length and its body", () => {
  expect(encodeFrame(7, Buffer.from("abc"))).toEqual(
    Buffer.concat([Buffer.from([7, 0, 0, 0, 3]), Buffer.from("abc")]),
  );
});

describe("the decoder", () => {
  test("finds the same frames wherever the stream was cut", () => {
    const frames = [
      { kind: 1, body: Buffer.from("abc") },
      { kind: 2, body: Buffer.alloc(0) },
      { kind: 255, body: Buffer.alloc(LIMIT, 9) },
    ];
    const stream = Buffer.concat(frames.map(({ kind, body }) => encodeFrame(kind, body)));
    for (let cut = 0; cut <= stream.length; cut += 1) {
      const decoder = new FrameDecoder(LIMIT);
      const found = [
        ...decoder.push(stream.subarray(0, cut)),
        ...decoder.push(stream.subarray(cut)),
      ];
      expect(found).toEqual(frames);
    }
  });

  test("finds them byte by byte, and in chunks of any sizes", () => {
    const frame = fc.record({
      kind: fc.nat(255),
      body: fc.uint8Array({ maxLength: LIMIT }).map((body) => Buffer.from(body)),
    });
    const sizes = fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 6 }), sizes, (frames, chunkSizes) => {
        const stream = Buffer.concat(frames.map(({ kind, body }) => encodeFrame(kind, body)));
        const decoder = new FrameDecoder(LIMIT);
        const found: Frame[] = [];
        for (let offset = 0, turn = 0; offset < stream.length; turn += 1) {
          const size = chunkSizes[turn % chunkSizes.length]!;
          found.push(...decoder.push(stream.subarray(offset, offset + size)));
          offset += size;
        }
        expect(found).toEqual(frames);
      }),
    );
  });

  test("takes a body at the limit and refuses the header of a longer one", () => {
    const at = encodeFrame(1, Buffer.alloc(LIMIT));
    expect(new FrameDecoder(LIMIT).push(at)).toHaveLength(1);
    const past = encodeFrame(1, Buffer.alloc(LIMIT + 1)).subarray(0, FRAME_HEADER_BYTES);
    expect(() => new FrameDecoder(LIMIT).push(past)).toThrow(RangeError);
    expect(() => new FrameDecoder(LIMIT).push(Buffer.alloc(5, 0xff))).toThrow(RangeError);
  });
});

describe("a link", () => {
  function linked(onFrame: (frame: Frame) => void = () => undefined) {
    const [ours, theirs] = duplexPair();
    return { link: new FrameLink(ours, LIMIT, onFrame), ours, theirs };
  }

  test("carries frames both ways", async () => {
    const got = Promise.withResolvers<Frame>();
    const { link, theirs } = linked(got.resolve);
    const back = Promise.withResolvers<Frame>();
    new FrameLink(theirs, LIMIT, back.resolve).send(1, Buffer.from("there"));
    link.send(2);
    expect(await got.promise).toEqual({ kind: 1, body: Buffer.from("there") });
    expect(await back.promise).toEqual({ kind: 2, body: Buffer.alloc(0) });
  });

  test.each([
    ["a frame over the limit", encodeFrame(1, Buffer.alloc(LIMIT + 1))],
    ["a frame that its owner does not understand", encodeFrame(9, Buffer.alloc(0))],
  ])("closes on %s", async (_name, bytes) => {
    const { link, theirs } = linked(({ kind }) => {
      if (kind === 9) throw new RangeError("no such frame");
    });
    theirs.write(bytes);
    await link.closed;
    expect(link.isOpen).toBe(false);
  });

  test("hands on no frame that came behind a refused one", async () => {
    const kinds: number[] = [];
    const { link, theirs } = linked(({ kind }) => {
      kinds.push(kind);
      if (kind === 2) throw new RangeError("no such frame");
    });
    theirs.write(Buffer.concat([1, 2, 3].map((kind) => encodeFrame(kind, Buffer.alloc(0)))));
    await link.closed;
    expect(kinds).toEqual([1, 2]);
  });

  test("hands on no frame after its owner closed it", async () => {
    const kinds: number[] = [];
    const { link, theirs } = linked(({ kind }) => {
      kinds.push(kind);
      link.close();
    });
    theirs.write(Buffer.concat([1, 2].map((kind) => encodeFrame(kind, Buffer.alloc(0)))));
    await link.closed;
    expect(kinds).toEqual([1]);
  });

  test("closes when the other end goes, and then sends nothing", async () => {
    const { link, theirs } = linked();
    theirs.end();
    await link.closed;
    link.send(1);
    await link.finish();
    expect([link.isOpen, link.queuedBytes]).toEqual([false, 0]);
  });

  test("is closed from the start where its socket is", async () => {
    const [ours] = duplexPair();
    ours.destroy();
    const link = new FrameLink(ours, LIMIT, () => undefined);
    await link.closed;
    expect(link.isOpen).toBe(false);
  });

  test("finishes after what was sent has left", async () => {
    const { link, theirs } = linked();
    const parts: Buffer[] = [];
    theirs.on("data", (part: Buffer) => parts.push(part));
    link.send(1, Buffer.from("last words"));
    await link.finish();
    expect(Buffer.concat(parts)).toEqual(encodeFrame(1, Buffer.from("last words")));
    expect(link.isOpen).toBe(false);
  });
});
