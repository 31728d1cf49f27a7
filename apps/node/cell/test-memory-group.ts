/**
 * A control group with little memory, for tests of what happens without. Not part of the cell.
 *
 * @module
 */
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A control group of version 1 or 2 with room for 64 MiB; `undefined` where none can be made. */
export function memoryGroup(): string | undefined {
  const name = `phantoma-test-${process.pid}`;
  for (const [root, limit] of [
    ["/sys/fs/cgroup", "memory.max"],
    ["/sys/fs/cgroup/memory", "memory.limit_in_bytes"],
  ] as const) {
    const dir = join(root, name);
    if (!existsSync(root)) continue;
    try {
      mkdirSync(dir);
      onTestFinished(() => rmdirSync(dir));
      if (!existsSync(join(dir, limit))) continue;
      writeFileSync(join(dir, limit), String(64 * 1024 * 1024));
      return dir;
    } catch {
      // This root has no memory controller for us.
    }
  }
  return undefined;
}
