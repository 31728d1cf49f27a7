/** Models that are read again: once for all who ask, and not for somebody who has left. */
import { randomBytes } from "node:crypto";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { temporaryDir } from "../test-node.ts";
import { ModelChecks } from "./model-checks.ts";

test("all who ask share one run, which ends when the last of them has left", async () => {
  const dir = temporaryDir();
  const digest = randomBytes(32).toString("hex");
  // Of holes: minutes to read, and no room on the disk.
  writeFileSync(join(dir, `${digest}.gguf`), "");
  truncateSync(join(dir, `${digest}.gguf`), 2 ** 37);
  const checks = new ModelChecks(dir);
  const [one, other] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const answer = checks.isWhole(digest, one.promise);
  expect(checks.isWhole(digest, other.promise)).toBe(answer);
  one.resolve();
  expect(await Promise.race([answer, sleep(200, "running")])).toBe("running");
  other.resolve();
  expect(await answer).toBe(false);
  const last = Promise.withResolvers<void>();
  const next = checks.isWhole(digest, last.promise);
  expect(next).not.toBe(answer);
  last.resolve();
  await next;
});
