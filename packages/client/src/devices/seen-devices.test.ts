/** A node cannot go back in its device lists, or tell this machine another story. */
import { expect, test } from "vitest";
import { nextSeenDevices, parseSeenDevices } from "./seen-devices.ts";

const bytes = (value: number) => new Uint8Array(32).fill(value);
const refused = expect.objectContaining({ name: "ClientError", code: "ERR_NODE_IDENTITY" });

/** A list whose hash is 32 times its `story`, after one whose hash is 32 times `after`. */
function list(version: number, story: number, after: number, node = bytes(1), signer = bytes(5)) {
  const devices = [device(5, "admin"), device(6, "admin", 7), device(8, "chat")];
  return { node, version, hash: bytes(story), previous: bytes(after), signer, devices };
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

test.each([
  ["whom nobody knows", 99],
  ["who was revoked", 6],
  ["who is no admin", 8],
])(
  "a later list of a signer %s is refused, unless a person has just paired with it",
  (_who, key) => {
    for (const [version, after] of [
      [3, 12],
      [4, 13],
      [9, 18],
    ] as const) {
      const later = list(version, 77, after, bytes(1), bytes(key));
      expect(() => nextSeenDevices(second, later)).toThrow(refused);
      expect(nextSeenDevices(second, later, true).version).toBe(version);
    }
  },
);

test("pairing makes no older list good, and a record from before admins were kept is still believed", () => {
  expect(() => nextSeenDevices(second, list(1, 11, 0), true)).toThrow(refused);
  const { nodeKey, version, hash } = second;
  const older = parseSeenDevices(JSON.stringify({ nodeKey, version, hash }));
  const later = nextSeenDevices(older, list(9, 19, 18, bytes(1), bytes(99)));
  expect(later.admins).toEqual(["05".repeat(32)]);
});

test("a new node of the same name begins anew", () => {
  expect(nextSeenDevices(second, list(1, 21, 0, bytes(2))).version).toBe(1);
});

test("a record is read as it was written, and nothing else is one", () => {
  expect(parseSeenDevices(JSON.stringify(second))).toEqual(second);
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
