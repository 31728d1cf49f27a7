/** Key files: sealed, bound to their person, and refused alike when the passphrase or a byte is wrong. */
import { mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  createKeyFile,
  MIN_PASSPHRASE_LETTERS,
  openKeyFile,
  readPublicKey,
} from "./signing-key.ts";

const passphrase = "x".repeat(MIN_PASSPHRASE_LETTERS);
const newPath = () => join(mkdtempSync(join(tmpdir(), "keys-")), "ada.key");

test("a key file opens with its passphrase, and is its owner's alone", () => {
  const path = newPath();
  const key = createKeyFile(path, "Ada", passphrase);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(openKeyFile(path, passphrase)).toMatchObject(key);
  expect(readPublicKey(`${path}.pub`)).toEqual(key);
  expect(() => openKeyFile(path, `${passphrase}y`)).toThrow("does not open");
});

test("a sealed key cannot be put under another name", () => {
  const path = newPath();
  createKeyFile(path, "Ada", passphrase);
  writeFileSync(path, readFileSync(path, "utf8").replace('"Ada"', '"Ben"'));
  expect(() => openKeyFile(path, passphrase)).toThrow("does not open");
});

test("a passphrase has its least length, and a key file is never overwritten", () => {
  const path = newPath();
  expect(() => createKeyFile(path, "Ada", passphrase.slice(1))).toThrow("at least");
  createKeyFile(path, "Ada", passphrase);
  expect(() => createKeyFile(path, "Ada", passphrase)).toThrow("EEXIST");
});
