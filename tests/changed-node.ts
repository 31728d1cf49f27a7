/**
 * The node's own programs, changed in a few places: as one that was taken over would be, or one that stands still
 * at a step.
 *
 * @module
 */
import { cpSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { nodeDir } from "./node-under-test.ts";

const repositoryDir = fileURLToPath(new URL("..", import.meta.url));

/** One place of one file, found by its text: where that has changed, the proof has to be looked at again. */
export interface Change {
  /** Below apps/node. */
  readonly file: string;
  readonly find: string;
  readonly put: string;
}

/** @returns the changed apps/node, in a folder of its own below `dir` */
export function changedNode(dir: string, changes: readonly Change[]): string {
  const tree = mkdtempSync(join(dir, "tree-"));
  const copy = join(tree, "apps/node");
  cpSync(nodeDir, copy, { recursive: true });
  for (const name of ["bpf", "node_modules", "package.json"])
    symlinkSync(join(repositoryDir, name), join(tree, name));
  for (const { file, find, put } of changes) {
    const path = join(copy, file);
    const [before, after, ...more] = readFileSync(path, "utf8").split(find);
    if (after === undefined || more.length > 0)
      throw new Error(`${file} has changed: the place is not there, or there twice`);
    writeFileSync(path, before + put + after);
  }
  return copy;
}
