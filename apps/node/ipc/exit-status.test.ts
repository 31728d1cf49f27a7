/** Exit statuses: every close code has one, and the cell's C knows the same numbers. */
import { readFileSync } from "node:fs";
import { CloseCode } from "@phantoma/protocol";
import { expect, test } from "vitest";
import { ExitStatus, exitStatusFor } from "./exit-status.ts";

test.each([
  ["done", ExitStatus.finished],
  ["timeout", ExitStatus.timeout],
  ["died", ExitStatus.failed],
  ["model", ExitStatus.failed],
  ["revoked", ExitStatus.disconnected],
  ["crypto", ExitStatus.disconnected],
  ["limit", ExitStatus.disconnected],
] as const)("a process that leaves with %s ends with %i", (code, status) => {
  expect(exitStatusFor(CloseCode[code])).toBe(status);
});

test("a process whose gateway hung up was disconnected", () => {
  expect(exitStatusFor(undefined)).toBe(ExitStatus.disconnected);
});

test("the cell knows the same numbers", () => {
  const source = readFileSync(new URL("../cell/ending.c", import.meta.url), "utf8");
  for (const name of ["finished", "timeout", "disconnected"] as const)
    expect(source).toContain(`#define EXIT_${name.toUpperCase()} ${ExitStatus[name]}\n`);
});
