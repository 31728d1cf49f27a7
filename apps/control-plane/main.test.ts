/** What an operator reads of options that are wrong: no stack, and which ones there are. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const main = fileURLToPath(new URL("main.ts", import.meta.url));

const run = (...args: string[]) =>
  spawnSync(process.execPath, [main, ...args], { encoding: "utf8" });

test("a wrong option is named, with those that there are", () => {
  const { status, stderr } = run("--bogus");
  expect(status).toBe(2);
  expect(stderr).toContain("phantoma control plane: Unknown option '--bogus'");
  expect(stderr).toContain("npm run control-plane -- backup FILE");
  expect(stderr).not.toMatch(/^ {4}at /m);
});

test("--help says which options there are", () => {
  const { status, stdout } = run("--help");
  expect([status, stdout]).toEqual([0, expect.stringContaining("--operator HOST:PORT")]);
});
