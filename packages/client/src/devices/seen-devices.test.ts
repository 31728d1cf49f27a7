/** A node cannot go back in its device lists, or tell this machine another story. */
import { MAX_DEVICES } from "@phantoma/crypto";
import { expect, test } from "vitest";
import { nextSeenDevices, parseSeenDevices } from "./seen-devices.ts";

const bytes = (value: number) => new Uint8Array(32).fill(value);
const refused = expect.objectContaining({ name: "ClientError", code: "ERR_NODE_IDENTITY" });

/** A list whose hash is 32 times its `story`, after one whose hash is 32 times `after`. */
function list(version: number, story: number, after: number, node = bytes(1)) {
  return { node, version, hash: bytes(story), previous: bytes(after), devices };
}
const device = { tunnelKey: bytes(8), name: "one", addedAt: 1 };
const devices = [
  { ...device, signingKey: bytes(3), role: "admin", revokedAt: null },
  { ...device, signingKey: bytes(4), role: "chat", revokedAt: null },
  { ...device, signingKey: bytes(5), role: "admin", revokedAt: 2 },
] as const;
const second = nextSeenDevices(undefined, list(2, 12, 11));

test("the first list that is seen is remembered, and so is each newer one", () => {
  expect(second).toEqual({
    nodeKey: "01".repeat(32),
    version: 2,
    hash: "0c".repeat(32),
    admins: ["03".repeat(32)],
  });
  expect(nextSeenDevices(second, list(2, 12, 11))).toEqual(second);
  expect(nextSeenDevices(second, list(3, 13, 12)).version).toBe(3);
  expect(nextSeenDevices(second, list(9, 19, 18)).version).toBe(9);
});

test.each([
  ["an older list", list(1, 11, 0)],
  ["another list of the same version", list(2, 99, 11)],
  ["a next list that follows another one", list(3, 13, 99)],
])("%s is refused", (_name, shown) => {
  expect(() => nextSeenDevices(second, shown)).toThrow(refused);
});

test("a new node of the same name begins anew", () => {
  expect(nextSeenDevices(second, list(1, 21, 0, bytes(2))).version).toBe(1);
});

test("a record is read as it was written, with as many admins as a list has devices, and nothing else is one", () => {
  expect(parseSeenDevices(JSON.stringify(second))).toEqual(second);
  const { admins: _, ...without } = second;
  const withAdmins = (count: number) => ({ ...second, admins: Array(count).fill("03".repeat(32)) });
  for (const record of [withAdmins(1), withAdmins(MAX_DEVICES)])
    expect(parseSeenDevices(JSON.stringify(record))).toEqual(record);
  for (const text of [
    JSON.stringify(without),
    JSON.stringify(withAdmins(0)),
    JSON.stringify(withAdmins(MAX_DEVICES + 1)),
    "",
    "{",
    "null",
    "{}",
    JSON.stringify({ ...second, version: "2" }),
    JSON.stringify({ ...second, admins: [3] }),
  ])
    expect(() => parseSeenDevices(text)).toThrow(expect.objectContaining({ code: "ERR_PROFILE" }));
});
