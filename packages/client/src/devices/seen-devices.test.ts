/** A node cannot go back in its device lists, or tell this machine another story. */
import { expect, test } from "vitest";
import { nextSeenDevices, parseSeenDevices } from "./seen-devices.ts";

const bytes = (value: number) => new Uint8Array(32).fill(value);
const refused = expect.objectContaining({ name: "ClientError", code: "ERR_NODE_IDENTITY" });

/** A list whose hash is 32 times its `story`, after one whose hash is 32 times `after`. */
function list(version: number, story: number, after: number, node = bytes(1)) {
  const devices = [device(5, "admin"), device(6, "admin", 7), device(8, "chat")];
  return { node, version, hash: bytes(story), previous: bytes(after), devices };
}
function device(key: number, role: "admin" | "chat", revokedAt: number | null = null) {
  const keys = { signingKey: bytes(key), tunnelKey: bytes(key) };
  return { ...keys, name: "", role, addedAt: 1, revokedAt };
}
const second = nextSeenDevices(undefined, list(2, 12, 11));

test("the first list that is seen is remembered, and so is each newer one", () => {
  expect(second).toEqual({
    nodeKey: "01".repeat(32),
    version: 2,
    hash: "0c".repeat(32),
    admins: ["05".repeat(32)],
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

test("a record is read as it was written, or as it was once, and nothing else is one", () => {
  expect(parseSeenDevices(JSON.stringify(second))).toEqual(second);
  const { nodeKey, version, hash } = second;
  const older = { nodeKey, version, hash };
  expect(parseSeenDevices(JSON.stringify(older))).toEqual(older);
  for (const text of [
    "",
    "{",
    "null",
    "{}",
    JSON.stringify({ ...second, version: "2" }),
    JSON.stringify({ ...second, admins: ["5"] }),
  ])
    expect(() => parseSeenDevices(text)).toThrow(expect.objectContaining({ code: "ERR_PROFILE" }));
});
