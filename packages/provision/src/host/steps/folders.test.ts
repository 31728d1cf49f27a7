/** The folders that go with a node, in the kernel's own file system as well. Needs root. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Machine } from "../machine.ts";
import type { Context } from "../step.ts";
import { folders } from "./system-files.ts";

const isRoot = process.platform === "linux" && process.getuid?.() === 0;

test.skipIf(!isRoot)("the policy's pins go, where no name may have a dot", async () => {
  const root = mkdtempSync(join(tmpdir(), "folders-"));
  const pins = join(root, "sys/fs/bpf");
  mkdirSync(pins, { recursive: true });
  execFileSync("mount", ["-t", "bpf", "bpf", pins]);
  onTestFinished(() => {
    execFileSync("umount", [pins]);
    rmSync(root, { recursive: true });
  });
  mkdirSync(join(pins, "phantoma/maps"), { recursive: true });
  expect(() => mkdirSync(join(pins, "phantoma.new"))).toThrow("EPERM");
  mkdirSync(join(root, "var/lib/phantoma"), { recursive: true });
  writeFileSync(join(root, "var/lib/phantoma/node.key"), "");
  await folders.undo({ machine: new Machine(root) } as Context);
  expect(existsSync(join(pins, "phantoma"))).toBe(false);
  expect(existsSync(join(root, "var/lib/phantoma"))).toBe(false);
});
