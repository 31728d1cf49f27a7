/** What lies of a release in a folder that somebody else writes. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { GivenRelease, MAX_FILES, metadataMark } from "../keeper/given-release.ts";
import { temporaryDir } from "../test-node.ts";
import { MAX_NAMES, namesIn } from "./update-files.ts";

function folderOf(count: number): string {
  const dir = temporaryDir();
  mkdirSync(join(dir, "metadata"));
  for (let i = 1; i <= count; i += 1) writeFileSync(join(dir, `metadata/${i}.root.json`), "");
  return dir;
}

test("a folder's names are looked at up to their limit", () => {
  const dir = folderOf(MAX_NAMES);
  expect(namesIn(join(dir, "metadata"))).toHaveLength(1024);
  writeFileSync(join(dir, "metadata/more"), "");
  expect(namesIn(join(dir, "metadata"))).toHaveLength(1024);
  expect(namesIn(join(dir, "none"))).toEqual([]);
});

test("a release has at most 256 files, and with one more none is read", async () => {
  const [full, past] = [folderOf(MAX_FILES), folderOf(MAX_FILES + 1)];
  const given = new GivenRelease(temporaryDir());
  expect(metadataMark(full)).toMatch(/^[0-9a-f]{64}$/);
  const bundle = { path: "", version: "0.1.0", sha256: "", bytes: 0, cameAt: 0 };
  await given.takeFrom(full, bundle);
  expect(() => metadataMark(past)).toThrow("ERR_TOO_MANY");
  await expect(given.takeFrom(past, bundle)).rejects.toThrow("ERR_TOO_MANY");
});
