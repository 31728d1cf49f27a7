/**
 * How a starter of ours puts a cell around a process. Under systemd the unit says the same.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const cellDir = fileURLToPath(new URL(".", import.meta.url));

/** Where `make -C apps/node/cell` puts it. */
const CELL = fileURLToPath(new URL("build/cell", import.meta.url));

/** Overwriting 100 GB takes half of this, in milliseconds; who kills a cell earlier leaves memory behind. */
export const CELL_GRACE_MS = 60_000;

/**
 * The cell's program, built where that can be done here; or why this machine has none. Then processes run
 * without, and nobody overwrites their memory.
 */
export function findCell(): { readonly cell: string } | { readonly obstacle: string } {
  // One builder at a time, however many nodes start together.
  spawnSync("flock", [cellDir, "make", "--silent", "-C", cellDir], { stdio: "ignore" });
  if (!existsSync(CELL)) return { obstacle: "ERR_NOT_BUILT" };
  const { status } = spawnSync(CELL, ["check"], { stdio: "ignore", env: {} });
  return status === 0 ? { cell: CELL } : { obstacle: "ERR_REFUSED" };
}

/**
 * The command that runs `program` in a cell. It inherits the connection to the gateway as 3, the one to the
 * keeper as 4, and where its end is to be reported, the cell's own connection as 0.
 *
 * @param witness the warden's socket for workers, where it has one
 */
export function inCell(
  cell: string,
  isReported: boolean,
  program: readonly string[],
  witness?: string,
): [string, ...string[]] {
  const flags = witness === undefined ? [] : ["--witness", witness];
  return [cell, ...flags, "fd:4", isReported ? "fd:0" : "-", ...program];
}
