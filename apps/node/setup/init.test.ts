/** Set-up as its owner runs it: keys that are made once, each in a file of its own, for its process alone. */
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ed25519FromSeed } from "@phantoma/crypto";
import { expect, test } from "vitest";
import { temporaryDir } from "../test-node.ts";

const main = fileURLToPath(new URL("main.ts", import.meta.url));
const init = (state: string) =>
  JSON.parse(
    execFileSync(process.execPath, [main, "init", "--state", state], { encoding: "utf8" }),
  );

test("the device is told the public halves of two keys, which stay the same", () => {
  const state = temporaryDir();
  const first = init(state);
  expect(init(state)).toEqual(first);
  for (const [name, told] of [
    ["keeper/node.key", first.nodeKey],
    ["warden/receipt.key", first.wardenKey],
  ]) {
    const path = join(state, name);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const { publicKey } = ed25519FromSeed(readFileSync(path));
    expect(Buffer.from(publicKey).toString("hex")).toBe(told);
  }
  expect(first.nodeKey).not.toBe(first.wardenKey);
});

test("a node of before gets the warden's key that it lacks, and keeps its name", () => {
  const state = temporaryDir();
  const first = init(state);
  rmSync(join(state, "warden/receipt.key"));
  const again = init(state);
  expect(again.nodeKey).toBe(first.nodeKey);
  expect(again.wardenKey).not.toBe(first.wardenKey);
});
