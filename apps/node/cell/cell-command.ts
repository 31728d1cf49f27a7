/**
 * How a starter of ours puts a cell around a process. Under systemd the unit says the same.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const cellDir = fileURLToPath(new URL(".", import.meta.url));

/** Overwriting 100 GB takes half of this, in milliseconds; who kills a cell earlier leaves memory behind. */
export const CELL_GRACE_MS = 60_000;

/** Why there is no cell, and what the program that was asked said of it. */
export interface NoCell {
  /**
   * `ERR_NOT_BUILT`: make failed; run `make -C apps/node/cell` and do what it says. `ERR_REFUSED`: it was built,
   * and this machine does not let it do its work; its exit status is one of status.h.
   */
  readonly obstacle: "ERR_NOT_BUILT" | "ERR_REFUSED";
  readonly why: string;
}

/**
 * The cell's program, built where that can be done here; or why this machine has none. Then processes run
 * without, and nobody overwrites their memory.
 *
 * A program that is there when make fails is of other sources than these, so it is not taken either.
 */
export function findCell(dir = cellDir): { readonly cell: string } | NoCell {
  // One builder at a time, however many nodes start together.
  const make = spawnSync("flock", [dir, "make", "--silent", "-C", dir], {
    stdio: ["ignore", "ignore", "pipe"],
    encoding: "utf8",
  });
  if (make.status !== 0)
    return { obstacle: "ERR_NOT_BUILT", why: make.error?.message ?? make.stderr.trim() };
  const cell = join(dir, "build/cell");
  const { status, signal } = spawnSync(cell, ["check"], { stdio: "ignore", env: {} });
  if (status === 0) return { cell };
  return { obstacle: "ERR_REFUSED", why: `cell check ended with ${status ?? signal ?? "nothing"}` };
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
