/** What a person at the terminal reads of options that are wrong: no stack, and which ones there are. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const main = fileURLToPath(new URL("main.ts", import.meta.url));

const run = (...args: string[]) =>
  spawnSync(process.execPath, [main, "--no-open", ...args], {
    encoding: "utf8",
    input: "",
    // Milliseconds: a console that starts all the same does not end by itself.
    timeout: 20_000,
  });

test.each([
  [["--bogus"], "Unknown option '--bogus'"],
  [["--port", "65536"], "--port is 0 to 65535"],
  [["--port", "x"], "--port is 0 to 65535"],
  [["--max-tokens", "0"], "--max-tokens is a whole number from 1 to 1000000"],
  [["--max-tokens", "1000001"], "--max-tokens is a whole number from 1 to 1000000"],
  [["--max-tokens", "10000000"], "--max-tokens is a whole number from 1 to 1000000"],
  // At its limit: what is refused is the next one.
  [["--max-tokens", "1000000", "--model", "/none.gguf"], "no model at /none.gguf"],
  [["--model", "/none.gguf"], "no model at /none.gguf"],
])("%j is refused before anything starts", (args, why) => {
  const { status, stdout, stderr } = run(...args);
  expect([status, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(`phantoma: ${why}\n\nnpm start -- `);
  expect(stderr).not.toMatch(/^ {4}at /m);
});

test("--help says which options there are", () => {
  const { status, stdout } = run("--help");
  expect([status, stdout]).toEqual([0, expect.stringContaining("--bundle")]);
});
