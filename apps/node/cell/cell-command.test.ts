/** Where the cell cannot be built there is none, also when an older one lies there; and it is said why. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDir } from "../test-node.ts";
import { findCell } from "./cell-command.ts";

/** A folder whose Makefile makes this of a cell; one of before may lie there. */
function folderWith({ recipe, older }: { recipe: string; older?: string }): string {
  const dir = temporaryDir();
  mkdirSync(join(dir, "build"));
  if (older !== undefined) writeProgram(join(dir, "build/cell"), older);
  writeFileSync(join(dir, "Makefile"), `all:\n\t${recipe}\n`);
  return dir;
}

function writeProgram(path: string, script: string): void {
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

test("a make that fails is no cell, and says why, also where an older one lies", () => {
  const recipe = "@echo no seccomp.h >&2; false";
  for (const dir of [folderWith({ recipe }), folderWith({ recipe, older: "exit 0" })]) {
    const found = findCell(dir);
    expect(found).toMatchObject({ obstacle: "ERR_NOT_BUILT" });
    expect("why" in found && found.why).toContain("no seccomp.h");
  }
});

test("what make left alone and the machine takes is the cell", () => {
  const dir = folderWith({ recipe: "@true", older: '[ "$1" = check ]' });
  expect(findCell(dir)).toEqual({ cell: join(dir, "build/cell") });
});

test("a cell that this machine refuses is none, with its status", () => {
  const dir = folderWith({ recipe: "@true", older: "exit 72" });
  expect(findCell(dir)).toEqual({ obstacle: "ERR_REFUSED", why: "cell check ended with 72" });
});

test("a make that leaves no cell behind is none", () => {
  expect(findCell(folderWith({ recipe: "@true" }))).toMatchObject({ obstacle: "ERR_REFUSED" });
});
