/** Addresses have one form in bytes and one in text. */
import { expect, test } from "vitest";
import { addressBytes, addressText } from "./address.ts";

const hex = (text: string) => Buffer.from(addressBytes(text)).toString("hex");

test.each([
  ["192.0.2.1", "00000000000000000000ffffc0000201", "192.0.2.1"],
  ["0.0.0.0", "00000000000000000000ffff00000000", "0.0.0.0"],
  ["::ffff:192.0.2.1", "00000000000000000000ffffc0000201", "192.0.2.1"],
  ["2001:db8::1", "20010db8000000000000000000000001", "2001:db8::1"],
  ["2001:DB8:0:0:0:0:0:1", "20010db8000000000000000000000001", "2001:db8::1"],
  ["::", "00000000000000000000000000000000", "::"],
  ["::1", "00000000000000000000000000000001", "::1"],
  ["fe80::", "fe800000000000000000000000000000", "fe80::"],
  ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008", "1:2:3:4:5:6:7:8"],
])("%s is %s and again %s", (text, bytes, again) => {
  expect(hex(text)).toBe(bytes);
  expect(addressText(Buffer.from(bytes, "hex"))).toBe(again);
});

test.each([
  "",
  "256.0.0.1",
  "1.2.3",
  "models.test",
  "1:2:3:4:5:6:7:8:9",
  "fe80::1%eth0",
  "[::1]",
  "::1]@evil.test",
  "0x7f.0.0.1",
])("%j is no address", (text) => {
  expect(() => addressBytes(text)).toThrow(expect.objectContaining({ code: "ERR_DOCUMENT_FIELD" }));
});
