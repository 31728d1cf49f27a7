/**
 * Where a node keeps what: one folder per writer.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** In the orders' folder, and there exactly while a window is open: it starts the fetcher. */
export const ORDER_FILE = "window.order";
/** The same while a standing order is in force. */
export const STANDING_FILE = "standing.order";
/** Beside it, while the order has a place: what the herald carries, replaced as a whole. It starts the herald. */
export const HEARTBEAT_FILE = "heartbeat";
/** Beside it, and there exactly while a licence lets the herald fetch updates. */
export const LICENSED_FILE = "licensed";
/** In the herald's folder: what was answered, and what became of the heartbeat. */
export const ANSWER_FILE = "answer";
export const OUTCOME_FILE = "outcome";

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
    /** The keeper's alone, 0700: models that are being pushed. */
    incomingDir: join(stateDir, "incoming"),
    /** Written by the keeper: the order of the open window; public. */
    ordersDir: join(stateDir, "orders"),
    /** Written by the fetcher: what it fetches, until the keeper has stored it; public. */
    quarantineDir: join(stateDir, "quarantine"),
    /** The warden's alone, 0700. */
    wardenDir: join(stateDir, "warden"),
    /** Root's alone, 0700: what the installer remembers. */
    installerDir: join(stateDir, "installer"),
    /** Written by the herald: the last answer, and what it fetched of a repository; public. */
    heraldDir: join(stateDir, "herald"),
    /** Written by the keeper: the next release with its metadata, and an admin's approval or policy; public. */
    updatesDir: join(stateDir, "updates"),
    /** Root's: how the last update ended, and which keys of licences the quorum listed; public. */
    outcomeDir: join(stateDir, "outcome"),
  };
}

/** Gone with the node: sockets. A folder per role, so that a sandbox shows a cell the one it needs. */
export function runPaths(runDir: string) {
  return {
    keeperForWorkers: join(runDir, "for-workers", "keeper.sock"),
    keeperForClerks: join(runDir, "for-clerks", "keeper.sock"),
    /** Where the cells of workers say how their task ended. */
    reportsOfCells: join(runDir, "for-workers", "reports.sock"),
    /** PID 1's, under systemd: a connection is a fresh process. */
    workerStarter: join(runDir, "worker.sock"),
    clerkStarter: join(runDir, "clerk.sock"),
    warden: join(runDir, "warden", "warden.sock"),
    /** Where workers say their keys to the warden. */
    witness: join(runDir, "witness", "witness.sock"),
    /** Written by the doctor's unit, every minute. */
    hostReport: join(runDir, "doctor", "host.json"),
  };
}

/** The digest of the bundle that this release came in, as the installer wrote it; zeros for a tree that nobody signed. */
export function installedRelease(): Uint8Array {
  try {
    const text = readFileSync(new URL("../../../bundle.sha256", import.meta.url), "ascii");
    return new Uint8Array(Buffer.from(text.trim(), "hex"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return new Uint8Array(32);
  }
}

/** The version that the package says. */
export function nodeVersion(): string {
  const path = new URL("../package.json", import.meta.url);
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}
