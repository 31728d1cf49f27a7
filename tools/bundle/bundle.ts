/**
 * Makes a bundle: the tree of a release, its lists of ingredients, its manifest, one archive.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chooseAnchor } from "@phantoma/release";
import {
  bundleName,
  filesBelow,
  MANIFEST_FILE,
  parseManifest,
  sha256Of,
  type Manifest,
} from "../../apps/node/installer/manifest.ts";
import { makeReleaseTree, makeRuntimeTree, NODE_DIR, versionOf } from "./release-tree.ts";
import { writeSboms } from "./sbom.ts";
import { writeTarGz } from "./tar.ts";

const repositoryDir = fileURLToPath(new URL("../..", import.meta.url));

/** Small enough to send, and two seconds faster than the smallest. */
const GZIP_LEVEL = 6;

export interface Bundle {
  readonly path: string;
  readonly sha256: string;
  readonly size: number;
  readonly manifest: Manifest;
}

/**
 * @param say tells people what is going on
 * @param anchorPath whose releases this one lets itself be updated to; nobody's where it is absent
 */
export async function makeBundle(
  outDir: string,
  say: (text: string) => void,
  anchorPath?: string,
): Promise<Bundle> {
  if (anchorPath !== undefined) chooseAnchor(JSON.parse(readFileSync(anchorPath, "utf8")));
  const dir = mkdtempSync(join(tmpdir(), "phantoma-bundle-"));
  try {
    const version = versionOf(".");
    const { commit, time } = sourceOf();
    say("programs, processes, runtime");
    makeRuntimeTree(dir);
    makeReleaseTree(dir);
    if (anchorPath !== undefined) cpSync(anchorPath, join(dir, "anchor.json"));
    for (const [from, to] of LICENCES) cpSync(join(repositoryDir, from), join(dir, to));
    say("lists of ingredients");
    writeSboms(dir, { version, time });
    say("archive");
    return await packTree(dir, join(outDir, bundleName(version)), { version, commit, time });
  } finally {
    rmSync(dir, { recursive: true });
  }
}

export interface PackOptions {
  readonly version: string;
  readonly commit: string | null;
  /** Of every entry, in seconds since 1970. */
  readonly time: number;
  readonly level?: number;
}

/** Writes the manifest of a tree into it, and the archive of both. Programs are what lies in `bin`. */
export async function packTree(dir: string, to: string, options: PackOptions): Promise<Bundle> {
  const { version, commit, time, level = GZIP_LEVEL } = options;
  rmSync(join(dir, MANIFEST_FILE), { force: true });
  const files: Manifest["files"] = [];
  // By code unit, as nothing else is the same everywhere.
  for (const path of filesBelow(dir).sort()) {
    const { size } = statSync(join(dir, path));
    const sha256 = await sha256Of(join(dir, path));
    files.push({ path, size, sha256, isExecutable: path.startsWith("bin/") });
  }
  const text = `${JSON.stringify({ product: "phantoma-node", version, platform: "linux", arch: "x64", commit, files }, null, 1)}\n`;
  const manifest = parseManifest(text);
  writeFileSync(join(dir, MANIFEST_FILE), text);
  const first = { path: MANIFEST_FILE, isExecutable: false };
  const entries = [first, ...files].map(({ path, isExecutable }) => ({
    name: path,
    path: join(dir, path),
    isExecutable,
  }));
  mkdirSync(join(to, ".."), { recursive: true });
  await writeTarGz(to, entries, time, level);
  return { path: to, sha256: await sha256Of(to), size: statSync(to).size, manifest };
}

const LICENCES = [
  ["LICENSE", "licences/phantoma.txt"],
  [`${NODE_DIR}/LICENSE`, "licences/node.txt"],
] as const;

/** What is built, by the repository's history; a tree with changes is nobody's commit. */
function sourceOf(): { commit: string | null; time: number } {
  const [commit = "", time = ""] = git("log", "-1", "--format=%H %ct").split(" ");
  return { commit: git("status", "--porcelain") === "" ? commit : null, time: Number(time) };
}

function git(...args: string[]): string {
  return execFileSync("git", args, { cwd: repositoryDir, encoding: "utf8" }).trim();
}
