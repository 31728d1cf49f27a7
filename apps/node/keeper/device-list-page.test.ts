/** An answer has device lists up to its count and its bytes, and always one where there is one. */
import { MAX_DEVICE_LISTS, MAX_DEVICE_LISTS_BYTES } from "@phantoma/protocol";
import { expect, test } from "vitest";
import { deviceListPage } from "./device-list-page.ts";

const lengths = (...sizes: number[]) =>
  deviceListPage(sizes.map((size) => Buffer.alloc(size))).map(({ length }) => length);
const times = (count: number, size: number) => Array.from({ length: count }, () => size);

test("as many lists as the count go into an answer, and one more waits, unread", () => {
  expect(lengths(...times(MAX_DEVICE_LISTS, 9))).toHaveLength(MAX_DEVICE_LISTS);
  let read = 0;
  function* endless() {
    for (;;) {
      read += 1;
      yield Buffer.alloc(9);
    }
  }
  expect(deviceListPage(endless())).toHaveLength(MAX_DEVICE_LISTS);
  expect(read).toBe(MAX_DEVICE_LISTS);
});

test("as many bytes as the limit go into an answer, and with one more the last list waits", () => {
  const half = MAX_DEVICE_LISTS_BYTES / 2;
  expect(lengths(half, half)).toEqual([half, half]);
  expect(lengths(half, half + 1)).toEqual([half]);
});

test("one list goes whatever its size, and no lists are an empty answer", () => {
  expect(lengths(MAX_DEVICE_LISTS_BYTES + 1, 1)).toEqual([MAX_DEVICE_LISTS_BYTES + 1]);
  expect(lengths()).toEqual([]);
});
