import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { ApiKeys } from "./api-keys.ts";

let dir: string;
beforeEach(() => {
  const parent = mkdtempSync(join(tmpdir(), "keys-"));
  dir = join(parent, "keys");
  onTestFinished(() => rmSync(parent, { recursive: true }));
});

const keyIn = (path: string) => readFileSync(path, "utf8").trim();

test("the first start makes a key that only this user can read", () => {
  const keys = ApiKeys.open(dir);
  const path = join(dir, "default");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(dir).mode & 0o777).toBe(0o700);
  expect(keyIn(path)).toMatch(/^pk-[\w-]{43}$/);
  expect(keys.nameOf(keyIn(path))).toBe("default");
  expect(ApiKeys.open(dir).nameOf(keyIn(path))).toBe("default");
});

test("a key has the name of its file, and nothing else has one", () => {
  const editor = keyIn(ApiKeys.add(dir, "editor"));
  const shell = keyIn(ApiKeys.add(dir, "shell"));
  const keys = ApiKeys.open(dir);
  expect(keys.nameOf(editor)).toBe("editor");
  expect(keys.nameOf(shell)).toBe("shell");
  for (const wrong of ["", "editor", editor.slice(0, -1), `${editor} `, editor.toUpperCase()])
    expect(keys.nameOf(wrong)).toBeUndefined();
});

test("a key that was removed is none any more", () => {
  const editor = keyIn(ApiKeys.add(dir, "editor"));
  ApiKeys.remove(dir, "editor");
  expect(ApiKeys.open(dir).nameOf(editor)).toBeUndefined();
});

test("a key that others may read, or that is none, is refused", () => {
  const path = ApiKeys.add(dir, "editor");
  chmodSync(path, 0o640);
  expect(() => ApiKeys.open(dir)).toThrow("other users may read");
  chmodSync(path, 0o600);
  writeFileSync(path, "password");
  expect(() => ApiKeys.open(dir)).toThrow("is not a key");
});

test("a name is a plain one, and taken once", () => {
  for (const name of ["", "../x", "A", "a/b", "-a", "a".repeat(65)])
    expect(() => ApiKeys.add(dir, name)).toThrow("small letters");
  ApiKeys.add(dir, "a".repeat(64));
  expect(() => ApiKeys.add(dir, "a".repeat(64))).toThrow("there already");
});

test("256 keys are taken, and not one more", () => {
  for (let number = 0; number < 256; number++) ApiKeys.add(dir, `k${number}`);
  expect(() => ApiKeys.add(dir, "one-more")).toThrow("256 keys already");
});
