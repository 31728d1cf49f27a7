/**
 * One run of the installer at a time on a machine: the unit's and the set-up's would sweep each other's work away.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { openSync } from "node:fs";
import { join } from "node:path";
import { InstallError } from "./install-error.ts";

/** One minute: a run that is nearly over is waited for, and one that tests a release is not. */
export const PATIENCE_SECONDS = 60;

/**
 * Holds the lock for as long as this process lives, however it ends: the lock is the open file's, which is ours, and
 * the program that asked for it has gone. Node itself cannot ask.
 *
 * @param dir the installer's own, 0700
 * @throws {@link InstallError} `ERR_BUSY`
 */
export function holdAlone(dir: string, patienceSeconds: number): void {
  const file = openSync(join(dir, "lock"), "a", 0o600);
  const args = ["--exclusive", "--timeout", String(patienceSeconds), "3"];
  const { status } = spawnSync("/usr/bin/flock", args, {
    stdio: ["ignore", "ignore", "ignore", file],
  });
  if (status !== 0) throw new InstallError("ERR_BUSY");
}
