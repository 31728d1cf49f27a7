/** Who may sign licences: what the quorum listed, the newest of it, and nothing else. */
import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { ReleaseUnderTest } from "../../../tests/release-under-test.ts";
import { newTargets } from "../../../tools/release/new-metadata.ts";
import { LICENCE_KEYS_NAME, parseLicenceKeys } from "./licence-keys.ts";
import { MAX_LICENCE_KEYS, MAX_LICENCE_KEYS_BYTES } from "./limits.ts";
import { ReleaseFolder } from "./release-source.ts";
import { verifyRelease } from "./verify-release.ts";

const key = (digit: number) => digit.toString(16).padStart(2, "0").repeat(32);
let release: ReleaseUnderTest;
let stateDir: string;
beforeEach(async () => {
  release = await new ReleaseUnderTest().make();
  stateDir = release.newDir();
});

/** Signed by everybody as the list of this number. */
function list(version: number, content: string | readonly string[]): string {
  const text = typeof content === "string" ? content : JSON.stringify({ keys: content });
  const file = release.add(LICENCE_KEYS_NAME, Buffer.from(text));
  const others = release.files.filter(({ name }) => name !== LICENCE_KEYS_NAME);
  release.sign(newTargets(version, [...others, file], release.nowMs));
  return join(release.repository, `targets/${file.sha256}.${file.name}`);
}

async function listedKeys(dir = release.repository): Promise<readonly string[] | null> {
  const { anchor, filePath, nowMs } = release;
  const source = new ReleaseFolder(dir);
  return (await verifyRelease({ anchor, source, stateDir, filePath, nowMs })).licenceKeys;
}

test("a release without a list names nobody", async () => {
  expect(await listedKeys()).toBeNull();
});

test("the keys that the quorum listed are told, and after a rotation the new ones", async () => {
  list(2, [key(1)]);
  expect(await listedKeys()).toEqual([key(1)]);
  list(3, [key(2), key(1)]);
  expect(await listedKeys()).toEqual([key(2), key(1)]);
  list(4, [key(2)]);
  expect(await listedKeys()).toEqual([key(2)]);
});

test("a list from before is refused once a newer one was seen", async () => {
  list(2, [key(1)]);
  const before = release.newDir();
  cpSync(release.repository, before, { recursive: true });
  list(3, [key(2)]);
  expect(await listedKeys()).toEqual([key(2)]);
  await expect(listedKeys(before)).rejects.toMatchObject({ code: "ERR_ROLLBACK" });
});

test("a list that is gone, or another one than was signed, is refused", async () => {
  const path = list(2, [key(1)]);
  writeFileSync(path, JSON.stringify({ keys: [key(2)] }));
  await expect(listedKeys()).rejects.toMatchObject({ code: "ERR_LICENCE_KEYS" });
  rmSync(path);
  await expect(listedKeys()).rejects.toMatchObject({ code: "ERR_LICENCE_KEYS" });
});

test("a list may have its length and not one byte more", async () => {
  const text = JSON.stringify({ keys: [key(1)] });
  list(2, text.padEnd(MAX_LICENCE_KEYS_BYTES));
  expect(await listedKeys()).toEqual([key(1)]);
  list(3, text.padEnd(MAX_LICENCE_KEYS_BYTES + 1));
  await expect(listedKeys()).rejects.toMatchObject({ code: "ERR_TOO_LARGE" });
});

test("it has its number of keys and not one more", () => {
  const keys = Array.from({ length: MAX_LICENCE_KEYS + 1 }, (_, index) => key(index));
  const text = (count: number) => Buffer.from(JSON.stringify({ keys: keys.slice(0, count) }));
  expect(parseLicenceKeys(text(MAX_LICENCE_KEYS))).toHaveLength(MAX_LICENCE_KEYS);
  expect(() => parseLicenceKeys(text(MAX_LICENCE_KEYS + 1))).toThrow("no list");
});

test.each([
  ["no key", '{"keys": []}'],
  ["a key twice", JSON.stringify({ keys: [key(1), key(1)] })],
  ["half a key", '{"keys": ["ab"]}'],
  ["a field more", JSON.stringify({ keys: [key(1)], command: "run" })],
  ["no JSON", "keys"],
])("a list with %s is none", (_name, text) => {
  expect(() => parseLicenceKeys(Buffer.from(text))).toThrow(
    expect.objectContaining({ code: "ERR_LICENCE_KEYS" }),
  );
});
