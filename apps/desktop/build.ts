/**
 * Bundles the console where its sources changed; costs one hash where they did not.
 *
 *   build.ts [--force] [PART ...]      renderer, bridge, preload, main; all where none is named
 *
 * @module
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { distDir, parts, type Part } from "./vite.config.ts";

const rootDir = fileURLToPath(new URL("../..", import.meta.url));

/** Folders and files that decide what a part becomes, under the repository's root. */
const sources: Record<Part, readonly string[]> = {
  renderer: ["apps/desktop/renderer", "apps/desktop/ipc"],
  bridge: ["apps/desktop/web", "apps/desktop/ipc"],
  preload: ["apps/desktop/preload", "apps/desktop/ipc"],
  main: ["apps/desktop/main", "apps/desktop/session", "apps/desktop/ipc", "packages"],
};

/** What decides about all of them. */
const tooling = [
  "package-lock.json",
  "apps/desktop/package.json",
  "apps/desktop/vite.config.ts",
  "apps/desktop/session/page-files.ts",
];

/** @returns the parts that were built anew */
export async function buildConsole(wanted: readonly Part[], isForced = false): Promise<Part[]> {
  const built: Part[] = [];
  for (const part of wanted) {
    const stampPath = join(distDir, `${part}.stamp`);
    const stamp = hashOf([...tooling, ...sources[part]]);
    if (!isForced && existsSync(stampPath) && readFileSync(stampPath, "utf8") === stamp) continue;
    rmSync(stampPath, { force: true });
    await bundle(part);
    mkdirSync(distDir, { recursive: true });
    writeFileSync(stampPath, stamp);
    built.push(part);
  }
  return built;
}

/** Whoever builds, tests included, builds what is shipped. */
async function bundle(part: Part): Promise<void> {
  const before = process.env.NODE_ENV;
  process.env.NODE_ENV = "production";
  try {
    const { build } = await import("vite");
    await build({ ...parts[part], logLevel: "warn", mode: "production" });
  } finally {
    if (before === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = before;
  }
}

function hashOf(paths: readonly string[]): string {
  const hash = createHash("sha256");
  for (const path of paths) addToHash(path, (text) => hash.update(text));
  return hash.digest("hex");
}

function addToHash(path: string, add: (content: string | Buffer) => void): void {
  const full = join(rootDir, path);
  const entries = readdirOrNothing(full);
  if (!entries) {
    add(`${path}\0`);
    add(readFileSync(full));
    return;
  }
  for (const { name } of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1)))
    if (name !== "node_modules" && !/\.test\.tsx?$/.test(name)) addToHash(`${path}/${name}`, add);
}

function readdirOrNothing(path: string) {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return undefined;
    throw error;
  }
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { force: { type: "boolean", default: false } },
  });
  const known = Object.keys(parts) as Part[];
  const unknown = positionals.filter((name) => !known.includes(name as Part));
  if (unknown.length > 0) throw new Error(`there is no part ${unknown.join(", ")}`);
  const wanted = positionals.length > 0 ? (positionals as Part[]) : known;
  const built = await buildConsole(wanted, values.force);
  process.stderr.write(`built: ${built.join(", ") || "nothing had changed"}\n`);
}
