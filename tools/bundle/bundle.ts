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
import { chooseAnchor } from "@phantoma/release";
import {
  bundleName,
  filesBelow,
  MANIFEST_FILE,
  parseManifest,
  sha256Of,
  type Manifest,
} from "../../apps/node/installer/manifest.ts";
import { arm64 } from "./arm64.ts";
import { makeReleaseTree, makeRuntimeTree, versionOf } from "./release-tree.ts";
import { writeSboms } from "./sbom.ts";
import { writeTarGz } from "./tar.ts";
import { repositoryDir, x64 } from "./target.ts";

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
  arch: Manifest["arch"] = "x64",
): Promise<Bundle> {
  if (anchorPath !== undefined) chooseAnchor(JSON.parse(readFileSync(anchorPath, "utf8")));
  const dir = mkdtempSync(join(tmpdir(), "phantoma-bundle-"));
  const workDir = mkdtempSync(join(tmpdir(), "phantoma-work-"));
  try {
    const target = arch === "x64" ? x64 : arm64(workDir);
    const version = versionOf(".");
    const { commit, time } = sourceOf();
    say("programs, processes, runtime");
    makeRuntimeTree(dir, target);
    makeReleaseTree(dir, target);
    if (anchorPath !== undefined) cpSync(anchorPath, join(dir, "anchor.json"));
    cpSync(join(repositoryDir, "LICENSE"), join(dir, "licences/phantoma.txt"));
    cpSync(join(target.pathOf(target.nodeDir), "LICENSE"), join(dir, "licences/node.txt"));
    say("lists of ingredients");
    writeSboms(dir, target, { version, time });
    say("archive");
    return await packTree(dir, join(outDir, bundleName(version, arch)), {
      version,
      arch,
      commit,
      time,
    });
  } finally {
    for (const each of [dir, workDir]) rmSync(each, { recursive: true });
  }
}

export interface PackOptions {
  readonly version: string;
  readonly arch?: Manifest["arch"];
  readonly commit: string | null;
  /** Of every entry, in seconds since 1970. */
  readonly time: number;
  readonly level?: number;
}

/** Writes the manifest of a tree into it, and the archive of both. Programs are what lies in `bin`. */
export async function packTree(dir: string, to: string, options: PackOptions): Promise<Bundle> {
  const { version, arch = "x64", commit, time, level = GZIP_LEVEL } = options;
  rmSync(join(dir, MANIFEST_FILE), { force: true });
  const files: Manifest["files"] = [];
  // By code unit, as nothing else is the same everywhere.
  for (const path of filesBelow(dir).sort()) {
    const { size } = statSync(join(dir, path));
    const sha256 = await sha256Of(join(dir, path));
    files.push({ path, size, sha256, isExecutable: path.startsWith("bin/") });
  }
  const head = { product: "phantoma-node", version, platform: "linux", arch };
  const mark = arch === "x64" ? {} : { untested: true };
  const text = `${JSON.stringify({ ...head, ...mark, commit, files }, null, 1)}\n`;
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

/** What is built, by the repository's history; a tree with changes is nobody's commit. */
function sourceOf(): { commit: string | null; time: number } {
  const [commit = "", time = ""] = git("log", "-1", "--format=%H %ct").split(" ");
  return { commit: git("status", "--porcelain") === "" ? commit : null, time: Number(time) };
}

function git(...args: string[]): string {
  return execFileSync("git", args, { cwd: repositoryDir, encoding: "utf8" }).trim();
}
