/** Bytes at rest: what comes back, and what a thief of the disk can do to them. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { digest } from "../vectors/document-values.ts";
import { straightLineSeal } from "../vectors/straight-line-seal.ts";
import { CryptoError } from "./crypto-error.ts";
import { openBytes, SEALED_CHUNK_BYTES, SEALED_HEADER_BYTES, sealBytes } from "./sealed.ts";
import { Secret } from "./secret.ts";

const key = new Secret(digest("seal key", 32));
const otherKey = new Secret(digest("other seal key", 32));
const context = Buffer.from("vault object 7, version 1");
const coded = (code: string) => expect.objectContaining({ name: "CryptoError", code });
const STEP = SEALED_CHUNK_BYTES + 16;

const threeChunks = digest("three chunks", 3 * SEALED_CHUNK_BYTES);
const sealedThree = sealBytes(key, context, threeChunks);
const header = sealedThree.subarray(0, SEALED_HEADER_BYTES);
const chunks = [0, 1, 2].map((i) =>
  sealedThree.subarray(SEALED_HEADER_BYTES + i * STEP, SEALED_HEADER_BYTES + (i + 1) * STEP),
) as [Buffer, Buffer, Buffer];

function openJoined(...parts: Uint8Array[]): Buffer {
  return openBytes(key, context, Buffer.concat(parts));
}

test.each([
  0,
  1,
  SEALED_CHUNK_BYTES - 1,
  SEALED_CHUNK_BYTES,
  SEALED_CHUNK_BYTES + 1,
  3 * SEALED_CHUNK_BYTES,
])("%d bytes come back", (length) => {
  const plaintext = digest("plaintext", length);
  const sealed = sealBytes(key, context, plaintext);
  const chunkCount = Math.max(1, Math.ceil(length / SEALED_CHUNK_BYTES));
  expect(sealed).toHaveLength(80 + length + 16 * chunkCount);
  expect(openBytes(key, context, sealed).equals(plaintext)).toBe(true);
});

test.each([0, 1, SEALED_CHUNK_BYTES, SEALED_CHUNK_BYTES + 1, 2 * SEALED_CHUNK_BYTES])(
  "%d bytes sealed by a second implementation open, and its bytes are ours",
  (length) => {
    const plaintext = digest("plaintext", length);
    const cut = [plaintext.subarray(0, SEALED_CHUNK_BYTES)];
    for (let start = SEALED_CHUNK_BYTES; start < length; start += SEALED_CHUNK_BYTES)
      cut.push(plaintext.subarray(start, start + SEALED_CHUNK_BYTES));
    const ours = sealBytes(key, context, plaintext);
    const salt = ours.subarray(16, 48);
    const theirs = straightLineSeal({ key: key.expose(), context, salt, chunks: cut });
    expect(theirs.equals(ours)).toBe(true);
  },
);

test("the same bytes sealed twice have nothing in common but the first 16 bytes", () => {
  const again = sealBytes(key, context, threeChunks);
  expect(again.subarray(0, 16)).toEqual(sealedThree.subarray(0, 16));
  expect(again.subarray(16, 48)).not.toEqual(sealedThree.subarray(16, 48));
  expect(again.subarray(48, 80)).not.toEqual(sealedThree.subarray(48, 80));
  expect(again.subarray(80, 112)).not.toEqual(sealedThree.subarray(80, 112));
});

test("every flipped byte of the header is noticed", () => {
  for (let index = 0; index < SEALED_HEADER_BYTES; index += 1) {
    const altered = Buffer.from(header);
    altered[index]! ^= 1 << (index % 8);
    const code = index < 16 ? "ERR_LENGTH" : "ERR_AUTHENTICATION";
    expect(() => openJoined(altered, ...chunks)).toThrow(coded(code));
  }
});

test("every flipped byte of a short file is noticed", () => {
  const sealed = sealBytes(key, context, Buffer.from("short"));
  for (let index = SEALED_HEADER_BYTES; index < sealed.length; index += 1) {
    const altered = Buffer.from(sealed);
    altered[index]! ^= 1 << (index % 8);
    expect(() => openBytes(key, context, altered)).toThrow(coded("ERR_AUTHENTICATION"));
  }
});

describe("chunks", () => {
  const [first, second, third] = chunks;

  test("in their order open, so that the refusals below mean something", () => {
    expect(openJoined(header, first, second, third).equals(threeChunks)).toBe(true);
  });

  test.each([
    ["swapped", [second, first, third]],
    ["the last swapped", [first, third, second]],
    ["one dropped at the beginning", [second, third]],
    ["one dropped in the middle", [first, third]],
    ["one twice", [first, first, second, third]],
    ["the last twice", [first, second, third, third]],
    ["an empty one after the last", [first, second, third, Buffer.alloc(16)]],
    ["a byte after the last", [first, second, third, Buffer.alloc(1)]],
  ])("%s are refused", (_, parts) => {
    expect(() => openJoined(header, ...parts)).toThrow(coded("ERR_AUTHENTICATION"));
  });

  test("that end exactly before the last are incomplete", () => {
    expect(() => openJoined(header, first, second)).toThrow(coded("ERR_TRUNCATED"));
    expect(() => openJoined(header, first)).toThrow(coded("ERR_TRUNCATED"));
    expect(() => openJoined(header)).toThrow(coded("ERR_LENGTH"));
  });

  test("that end in the middle of one are refused", () => {
    for (const cut of [1, 15, 16, 17, STEP - 1])
      expect(() => openJoined(header, first, second, third.subarray(0, STEP - cut))).toThrow(
        coded("ERR_AUTHENTICATION"),
      );
  });

  test("of two files under one key and context do not mix", () => {
    const other = sealBytes(key, context, threeChunks).subarray(SEALED_HEADER_BYTES);
    expect(() => openJoined(header, first, other.subarray(STEP))).toThrow(
      coded("ERR_AUTHENTICATION"),
    );
    expect(() => openJoined(header, other)).toThrow(coded("ERR_AUTHENTICATION"));
  });

  test("with an empty last one after full ones are another form of the same file", () => {
    const salt = digest("salt", 32);
    const plan = { key: key.expose(), context, salt };
    const full = digest("full", SEALED_CHUNK_BYTES);
    const twoForms = straightLineSeal({ ...plan, chunks: [full, Buffer.alloc(0)] });
    expect(openBytes(key, context, twoForms).equals(full)).toBe(true);
  });
});

describe("before any chunk is looked at", () => {
  // A chunk that is not genuine shows that the commitment alone refused.
  const spoilt = Buffer.concat([header, Buffer.alloc(STEP)]);

  test("another key is refused", () => {
    expect(() => openBytes(otherKey, context, sealedThree)).toThrow(
      new CryptoError("ERR_AUTHENTICATION", "sealed under another key or for another use"),
    );
    expect(() => openBytes(otherKey, context, spoilt)).toThrow("another key");
  });

  test("another context is refused: longer, shorter, empty", () => {
    for (const other of ["vault object 7, version 2", "vault object 7, version 1\0", "vault", ""])
      expect(() => openBytes(key, Buffer.from(other), spoilt)).toThrow("for another use");
  });

  test("with the right key and context the chunk is what is refused", () => {
    expect(() => openBytes(key, context, spoilt)).toThrow("chunk 0 is not genuine");
  });
});

test("an erased key seals and opens nothing", () => {
  const erased = new Secret(Buffer.alloc(32, 1));
  erased.erase();
  expect(() => sealBytes(erased, context, threeChunks)).toThrow(coded("ERR_STEP_REUSED"));
  expect(() => openBytes(erased, context, sealedThree)).toThrow(coded("ERR_STEP_REUSED"));
});

test("every length below the shortest sealed file is refused", () => {
  const shortest = sealBytes(key, context, Buffer.alloc(0));
  expect(shortest).toHaveLength(SEALED_HEADER_BYTES + 16);
  for (let length = 0; length < shortest.length; length += 1)
    expect(() => openBytes(key, context, shortest.subarray(0, length))).toThrow(
      coded("ERR_LENGTH"),
    );
});

test("random bytes never open, with and without a right header, small or large", () => {
  const random = fc.oneof(fc.uint8Array(), fc.constantFrom(1_000, 70_000, 10_000_000).map(noise));
  fc.assert(
    fc.property(random, fc.boolean(), (bytes, hasHeader) => {
      const untrusted = hasHeader ? Buffer.concat([header, bytes]) : bytes;
      expect(() => openBytes(key, context, untrusted)).toThrow(
        expect.objectContaining({ name: "CryptoError" }),
      );
    }),
    { numRuns: 60 },
  );
});

function noise(length: number): Buffer {
  return digest(`noise ${length}`, length);
}

test.each([0, 16, 31, 33])("a key of %d bytes seals and opens nothing", (length) => {
  const short = new Secret(Buffer.alloc(length, 7));
  expect(() => sealBytes(short, context, Buffer.alloc(1))).toThrow(coded("ERR_LENGTH"));
  expect(() => openBytes(short, context, sealedThree)).toThrow(coded("ERR_LENGTH"));
});

test("a context may have any length", () => {
  const long = digest("a long context", 5_000);
  expect(openBytes(key, long, sealBytes(key, long, Buffer.from("words"))).toString()).toBe("words");
  expect(() => openBytes(key, long.subarray(1), sealBytes(key, long, Buffer.from("x")))).toThrow(
    coded("ERR_AUTHENTICATION"),
  );
});
