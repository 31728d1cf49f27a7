/** What a gateway and a worker say: layouts to the byte, and every other length refused. */
import { expect, test } from "vitest";
import { decodeNumber, decodeWarm, encodeNumber, encodeWarm } from "./process-link.ts";

test("a warm order is the model's digest and the number of threads", () => {
  const model = new Uint8Array(32).fill(7);
  const body = encodeWarm({ model, threads: 258 });
  expect(body).toEqual(Buffer.concat([model, Buffer.from([1, 2])]));
  expect(decodeWarm(body)).toEqual({ model, threads: 258 });
});

test("a warm order does not change with the buffer it came in", () => {
  const body = encodeWarm({ model: new Uint8Array(32).fill(7), threads: 0 });
  const { model } = decodeWarm(body);
  body.fill(0);
  expect(model).toEqual(new Uint8Array(32).fill(7));
});

test.each([0, 33, 35])("a warm order of %i bytes is refused", (length) => {
  expect(() => decodeWarm(Buffer.alloc(length))).toThrow(RangeError);
});

test.each([0, 1, 4006, 65_535])("the number %i comes back", (value) => {
  expect(decodeNumber(encodeNumber(value))).toBe(value);
});

test("a number has 2 bytes", () => {
  for (const length of [0, 1, 3])
    expect(() => decodeNumber(Buffer.alloc(length))).toThrow(RangeError);
  for (const value of [-1, 65_536]) expect(() => encodeNumber(value)).toThrow(RangeError);
});
