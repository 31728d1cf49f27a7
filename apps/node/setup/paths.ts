/**
 * Where a node keeps what: one folder per writer.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Survives restarts and updates. */
export function statePaths(stateDir: string) {
  return {
    /** The keeper's alone, 0700: the node's identity. */
    keeperDir: join(stateDir, "keeper"),
    /** The gateway's alone, 0700: the TLS key. */
    gatewayDir: join(stateDir, "gateway"),
    /** Written by root (genesis) and the keeper (lists); public. */
    devicesDir: join(stateDir, "devices"),
    /** Written by set-up and the keeper; public. */
    modelsDir: join(stateDir, "models"),
  };
}

/** Gone with the node: sockets. A folder per role, so that a sandbox shows a cell the one it needs. */
export function runPaths(runDir: string) {
  return {
    keeperForWorkers: join(runDir, "for-workers", "keeper.sock"),
    keeperForClerks: join(runDir, "for-clerks", "keeper.sock"),
    /** PID 1's, under systemd: a connection is a fresh process. */
    workerStarter: join(runDir, "worker.sock"),
    clerkStarter: join(runDir, "clerk.sock"),
  };
}

/** The version that the package says. */
export function nodeVersion(): string {
  const path = new URL("../package.json", import.meta.url);
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}
