import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeStoppingNode } from "./stopping-node.ts";

test("every step is a place in the node's code as it is today", () => {
  const dir = mkdtempSync(join(tmpdir(), "phantoma-steps-"));
  try {
    expect(() => makeStoppingNode(join(dir, "programs"))).not.toThrow();
  } finally {
    rmSync(dir, { recursive: true });
  }
});
