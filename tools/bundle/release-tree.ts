/**
 * A release as it lies on a server: own Node, one file per process, llama.cpp, cell and warden, units.
 *
 *   runtime   bin/node  node_modules/@node-llama-cpp        large, and the same for a long time
 *   release   bin/{cell,warden}  apps/node/ROLE/main.js  apps/node/units  models/demo
 *
 * One file per process, because an emulated processor takes a minute to compile the two hundred that
 * it is made of. The kernel programs are inside the warden.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryDir, x64 } from "./target.ts";

/** Programs of ours, and the folder whose `make` makes each. */
const PROGRAMS = [
  { name: "cell", dir: "apps/node/cell" },
  { name: "warden", dir: "bpf" },
] as const;

export const ROLES = [
  "gateway",
  "worker",
  "clerk",
  "keeper",
  "fetcher",
  "doctor",
  "setup",
  "provisioner",
  "installer",
  "self-test",
] as const;

/** Names what {@link makeRuntimeTree} makes. */
export function runtimeVersion(): string {
  return [x64.nodeDir, x64.llamaDir].map(versionOf).join("-");
}

export function makeRuntimeTree(dir: string, target = x64): void {
  const { nodeDir, llamaDir } = target;
  cpSync(join(target.pathOf(nodeDir), "bin/node"), join(dir, "bin/node"));
  cpSync(target.pathOf(llamaDir), join(dir, llamaDir), { recursive: true });
}

/**
 * Programs as the tree has them now, not as they were built last.
 *
 * @throws Error with the compiler's words
 */
export function makeReleaseTree(dir: string, target = x64): void {
  mkdirSync(join(dir, "bin"), { recursive: true });
  for (const { name, dir: sourceDir } of PROGRAMS)
    target.makeProgram(name, sourceDir, join(dir, "bin", name));
  for (const file of ["package.json", "apps/node/package.json", "apps/node/units"])
    copy(file, join(dir, file));
  copy("models/demo/model.gguf", join(dir, "models/demo/model.gguf"));
  for (const role of ROLES)
    bundle(`apps/node/${role}/main.ts`, join(dir, `apps/node/${role}/main.js`));
}

export function versionOf(packageDir: string): string {
  const text = readFileSync(join(repositoryDir, packageDir, "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** Makes one file of a program and all that it imports. */
export function bundle(entry: string, path: string): void {
  const rolldown = "node_modules/rolldown/bin/cli.mjs";
  const flags = ["--format", "esm", "--platform", "node", "--no-code-splitting"];
  execFileSync(process.execPath, [rolldown, entry, "--file", path, ...flags], {
    cwd: repositoryDir,
    stdio: ["ignore", "ignore", "pipe"],
  });
}

function copy(from: string, to: string): void {
  cpSync(join(repositoryDir, from), to, { recursive: true });
}
