/**
 * Whose code is in a bundle: what its SBOM has to name, found in what was built and not in what was planned.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { LLAMA_DIR, NODE_DIR, ROLES } from "./release-tree.ts";

/** Of Debian, and linked into cell and warden as a whole. */
const STATIC_LIBRARIES = [
  "libbpf-dev",
  "libelf-dev",
  "zlib1g-dev",
  "libsodium-dev",
  "libseccomp-dev",
];

/** The bundler writes the path of every module above its code. */
const MODULE_COMMENT = /^\/\/ (node_modules|packages|apps)\/(.+\.[cm]?[jt]s)$/gm;

/** Folders of npm packages, ours among them, as the lock file names them. */
export function packagesIn(treeDir: string): Set<string> {
  const found = new Set([NODE_DIR, LLAMA_DIR]);
  for (const role of ROLES) {
    const code = readFileSync(join(treeDir, `apps/node/${role}/main.js`), "utf8");
    for (const [, top = "", path = ""] of code.matchAll(MODULE_COMMENT))
      found.add(
        top === "node_modules" ? packageDir(path) : `node_modules/@phantoma/${path.split("/")[0]}`,
      );
  }
  return found;
}

export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly arch: string;
}

/** @throws when one is not installed, which the compiler has said before */
export function staticLibraries(): DebianPackage[] {
  const format = "${Package} ${Version} ${Architecture}\n";
  const lines = execFileSync("dpkg-query", ["-W", "-f", format, ...STATIC_LIBRARIES], {
    encoding: "utf8",
  });
  return lines
    .trim()
    .split("\n")
    .sort()
    .map((line) => {
      const [name = "", version = "", arch = ""] = line.split(" ");
      return { name, version, arch };
    });
}

/** `@scope/name/src/x.js` lies in `node_modules/@scope/name`; nested packages keep their whole path. */
function packageDir(path: string): string {
  const parts = `node_modules/${path}`.split("/");
  const last = parts.lastIndexOf("node_modules");
  return parts.slice(0, last + (parts[last + 1]?.startsWith("@") ? 3 : 2)).join("/");
}
