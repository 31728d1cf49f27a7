import { execFile } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const programs = globSync("tests/**/*.ts", { cwd: root }).filter((path) =>
  /^const values = argumentsOf\(/m.test(readFileSync(`${root}/${path}`, "utf8")),
);

function run(path: string, ...args: string[]) {
  const env = { ...process.env, npm_lifecycle_event: "proof:this" };
  return new Promise<{ code: number; told: string; out: string }>((resolve) => {
    const child = execFile(process.execPath, [path, ...args], { cwd: root, env }, (_, out, told) =>
      resolve({ code: child.exitCode ?? -1, told, out }),
    );
  });
}

describe.each(programs)("%s", (path) => {
  test("refuses an option that it does not know, and says how it is called", async () => {
    const { code, told, out } = await run(path, "--nonsense");
    expect(told).toMatch(/^ERR_OPTION: Unknown option '--nonsense'/);
    expect(told).toMatch(/\n {2}npm run proof:this -- .*\n/);
    expect(out).toBe("");
    expect(code).toBe(2);
  });
});

test.each([
  ["tests/proofs/ram/main.ts", "--canary", "seven__", "words of 7 bytes"],
  ["tests/proofs/ram/main.ts", "--canary", "x".repeat(65), "words of 65 bytes"],
  ["tests/proofs/ram/main.ts", "--only", "no such end", "--only is one of: normal end, "],
  ["tests/proofs/kills/main.ts", "--step", "no such step", "--step is one of: "],
  ["tests/proofs/crosstalk.ts", "--tasks", "1", "--tasks is a number from 2 to 100000"],
  ["tests/proofs/crosstalk.ts", "--tasks", "100001", "--tasks is a number from 2 to 100000"],
  ["tests/proofs/crosstalk.ts", "--at-once", "many", "--at-once is a number from 1 to 64"],
  ["tests/proofs/release/main.ts", "--artifact", "/no/such", "there is none at /no/such"],
])("%s refuses %s %s", async (path, option, value, why) => {
  const { code, told } = await run(path, option, value);
  expect(told).toContain(why);
  expect(told).not.toContain("    at ");
  expect(code).toBe(2);
});
