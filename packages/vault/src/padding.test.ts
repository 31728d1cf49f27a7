/** Padding: what goes in comes out, sizes are few, and nothing else is taken. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { pad, paddedLength, SMALLEST_PADDED_BYTES, unpad } from "./padding.ts";

test("what is padded comes out again, whatever its length", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => {
      expect(unpad(pad(bytes))).toEqual(Buffer.from(bytes));
    }),
  );
});

test("short things all have one size", () => {
  const lengths = [0, 1, 500, SMALLEST_PADDED_BYTES - 4].map((n) => pad(Buffer.alloc(n)).length);
  expect(new Set(lengths)).toEqual(new Set([SMALLEST_PADDED_BYTES]));
  expect(pad(Buffer.alloc(SMALLEST_PADDED_BYTES - 3)).length).toBeGreaterThan(
    SMALLEST_PADDED_BYTES,
  );
});

test("no size is more than 12 % above what it holds, and there are few of them", () => {
  const sizes = new Set<number>();
  for (let length = 1025; length <= 500_000; length += 37) {
    const padded = paddedLength(length);
    expect(padded).toBeGreaterThanOrEqual(length);
    expect(padded / length).toBeLessThan(1.12);
    sizes.add(padded);
  }
  expect(sizes.size).toBeLessThan(200);
});

test.each([
  ["nothing", Buffer.alloc(0)],
  ["three bytes", Buffer.alloc(3)],
  ["a length beyond the end", Buffer.concat([Buffer.of(0, 0, 4, 1), Buffer.alloc(1020)])],
  ["another size than its length gives", Buffer.alloc(2048)],
  ["padding that is not zero", Buffer.alloc(1024).fill(1, 1000)],
])("%s is refused", (_, bytes) => {
  expect(() => unpad(bytes)).toThrow(expect.objectContaining({ code: "ERR_VAULT_DAMAGED" }));
});
