/** The store on this machine: what it keeps, what it shows, and what it refuses to open. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateDeviceIdentity, vaultKeysOf } from "@phantoma/crypto";
import { DatabaseSync } from "node:sqlite";
import { afterEach, expect, test } from "vitest";
import { fromJson, openBackup, sealBackup, toJson, toMarkdown } from "./conversation-file.ts";
import { LocalVault } from "./local-vault.ts";
import { conversationOf } from "../../../tests/vault-under-test.ts";

const dir = mkdtempSync(join(tmpdir(), "phantoma-local-vault-"));
const path = join(dir, "vault.sqlite");
const device = generateDeviceIdentity();
const open = (whose = device) => LocalVault.open(path, vaultKeysOf(whose).storeKey);
afterEach(() => rmSync(path, { force: true }));

const ID = "00000000000000a1";
const OTHER = "00000000000000a2";

test("what is saved is there when it is opened again, and found by its words", () => {
  const first = open();
  first.save(conversationOf(ID, "Wie spät ist es?", "It is LATE, cafe\u0301"));
  first.save(conversationOf(OTHER, "second", "no"));
  first.close();
  const second = open();
  expect(second.list().map(({ id }) => id)).toEqual([ID, OTHER]);
  expect(second.search("spä late").map(({ id }) => id)).toEqual([ID]);
  expect(second.search("CAFÉ").map(({ id }) => id)).toEqual([ID]);
  expect(second.search("late second")).toEqual([]);
  expect(second.search("  ")).toEqual([]);
  expect(second.get(ID).messages).toHaveLength(2);
  second.close();
});

test("no word of it is in the file, which a store without seals has", () => {
  const canary = "canaryword4711";
  const vault = open();
  vault.save(conversationOf(ID, canary, canary));
  vault.close();
  expect(readFileSync(path).includes(canary)).toBe(false);
  const control = new DatabaseSync(path);
  control.prepare("INSERT INTO rows VALUES (?, ?)").run("plain", Buffer.from(canary));
  control.close();
  expect(readFileSync(path).includes(canary)).toBe(true);
});

test("what was deleted is gone from the file, sealed bytes and all", () => {
  const vault = open();
  vault.save(conversationOf(ID, "x", "y"));
  vault.close();
  const database = new DatabaseSync(path);
  const row = database.prepare("SELECT sealed FROM rows WHERE id = ?").get(ID)!;
  database.close();
  const sealed = Buffer.from(row.sealed as Uint8Array);
  const salt = sealed.subarray(16, 48);
  expect(readFileSync(path).includes(salt)).toBe(true);
  const again = open();
  again.delete(ID);
  again.close();
  expect(readFileSync(path).includes(salt)).toBe(false);
});

test("another device's key opens nothing", () => {
  const vault = open();
  vault.save(conversationOf(ID, "x", "y"));
  vault.close();
  expect(() => open(generateDeviceIdentity())).toThrow(
    expect.objectContaining({ code: "ERR_VAULT_STORE" }),
  );
});

test.each([
  [
    "a bit flipped",
    "UPDATE rows SET sealed = CAST(substr(sealed, 1, 200) || x'00' || substr(sealed, 202) AS BLOB)",
  ],
  ["a row under another name", `UPDATE rows SET id = '00000000000000ff' WHERE id = '${ID}'`],
  ["a row cut off", "UPDATE rows SET sealed = substr(sealed, 1, 300)"],
  ["an empty row", "UPDATE rows SET sealed = x''"],
])("%s is refused", (_, sql) => {
  const vault = open();
  vault.save(conversationOf(ID, "x", "y"));
  vault.close();
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
  expect(() => open()).toThrow(expect.objectContaining({ code: "ERR_VAULT_STORE" }));
});

test("a file that is no store is refused and left as it is", () => {
  writeFileSync(path, "not a database at all, but long enough to be read as one".repeat(50));
  const before = readFileSync(path);
  expect(() => open()).toThrow(expect.objectContaining({ code: "ERR_VAULT_STORE" }));
  expect(readFileSync(path).equals(before)).toBe(true);
});

test("a second program is told that the store is in use", () => {
  const vault = open();
  expect(() => open()).toThrow(expect.objectContaining({ code: "ERR_VAULT_IN_USE" }));
  vault.close();
  open().close();
});

test("closed, it shows and opens nothing more", () => {
  const vault = open();
  vault.save(conversationOf(ID, "x", "y"));
  vault.close();
  expect(vault.list()).toEqual([]);
  expect(vault.search("x")).toEqual([]);
  expect(() => vault.get(ID)).toThrow(expect.objectContaining({ code: "ERR_VAULT_UNKNOWN" }));
});

test("an export is imported as it was; Markdown shows every branch", () => {
  const one = conversationOf(ID, "question", "answer");
  const branch = { ...one.messages[1]!, id: "00000000000000ee", text: "another answer" };
  const both = { ...one, messages: [...one.messages, branch] };
  expect(fromJson(toJson([both]))).toEqual([both]);
  expect(toMarkdown(both)).toMatch(/Branch 1 of 2[\s\S]*answer[\s\S]*Branch 2 of 2[\s\S]*another/);
  for (const text of [
    "",
    "{}",
    "[]",
    '{"format":"other","conversations":[]}',
    toJson([both]).slice(9),
  ])
    expect(() => fromJson(text)).toThrow(expect.objectContaining({ code: "ERR_VAULT_FILE" }));
});

test("a backup opens with its passphrase only, whole and unchanged", () => {
  const passphrase = Buffer.from("correct horse");
  const saved = [conversationOf(ID, "question", "answer")];
  const backup = sealBackup(passphrase, saved);
  expect(openBackup(passphrase, backup)).toEqual(saved);
  expect(backup.includes("question")).toBe(false);
  const flipped = Buffer.from(backup);
  flipped[200]! ^= 1;
  const refused = { ERR_VAULT_PASSPHRASE: [flipped], ERR_VAULT_FILE: [backup.subarray(0, 20)] };
  expect(() => openBackup(Buffer.from("wrong horse"), backup)).toThrow(
    expect.objectContaining({ code: "ERR_VAULT_PASSPHRASE" }),
  );
  for (const [code, files] of Object.entries(refused))
    for (const file of files)
      expect(() => openBackup(passphrase, file)).toThrow(expect.objectContaining({ code }));
});
