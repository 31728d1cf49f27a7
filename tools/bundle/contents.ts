/**
 * Whose code is in a bundle: what its SBOM has to name, found in what was built and not in what was planned.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROLES } from "./release-tree.ts";
import type { Target } from "./target.ts";

/** The bundler writes the path of every module above its code. */
const MODULE_COMMENT = /^\/\/ (node_modules|packages|apps)\/(.+\.[cm]?[jt]s)$/gm;

/** Folders of npm packages, ours among them, as the lock file names them. */
export function packagesIn(treeDir: string, { nodeDir, llamaDir }: Target): Set<string> {
  const found = new Set([nodeDir, llamaDir]);
  for (const role of ROLES) {
    const code = readFileSync(join(treeDir, `apps/node/${role}/main.js`), "utf8");
    for (const [, top = "", path = ""] of code.matchAll(MODULE_COMMENT))
      found.add(
        top === "node_modules" ? packageDir(path) : `node_modules/@phantoma/${path.split("/")[0]}`,
      );
  }
  return found;
}

/** `@scope/name/src/x.js` lies in `node_modules/@scope/name`; nested packages keep their whole path. */
function packageDir(path: string): string {
  const parts = `node_modules/${path}`.split("/");
  const last = parts.lastIndexOf("node_modules");
  return parts.slice(0, last + (parts[last + 1]?.startsWith("@") ? 3 : 2)).join("/");
}
