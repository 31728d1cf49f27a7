/**
 * How the gateway comes by a fresh process: one function, and what it gives is a connection.
 *
 * No pid, no signal, no standard streams: cancel, timeout and end are closing the connection. Under
 * systemd the connection is to `phantoma-worker.socket` and PID 1 makes the process; here we do.
 *
 * @module
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";

export interface Starter {
  /** A connection to a process that nobody has used; rejects when none can be made. */
  start(): Promise<Duplex>;
}

export interface ChildStarterOptions {
  /** The process's main file. */
  readonly entry: string;
  readonly args: readonly string[];
  /** Opened by the cell, or here, and inherited, so that the process needs no right to open sockets. */
  readonly keeperSocket: string;
  /** The cell's program; `undefined` where this machine has none, or refuses it. */
  readonly cell: string | undefined;
  /** Where the cell says how the process ended; `undefined` where nobody asks. */
  readonly reportSocket?: string;
}

/** A process whose connection is closed has this long to end by itself, in milliseconds. */
const END_GRACE_MS = 3_000;

/** A cell ends its process itself, and overwriting 100 GB takes half of this, in milliseconds. */
const CELL_GRACE_MS = 60_000;

/** The descriptor that the connection is on the other side; a cell takes it as it is. */
const CONNECTION = 3;

/** Makes processes as children of the gateway: demo mode, certified as such. */
export class ChildStarter implements Starter {
  readonly #options: ChildStarterOptions;
  readonly #children = new Set<ChildProcess>();

  constructor(options: ChildStarterOptions) {
    this.#options = options;
  }

  async start(): Promise<Duplex> {
    const child = this.#options.cell ? this.#spawnCell(this.#options.cell) : await this.#spawnBare();
    // Out of descriptors there are no streams at all, and the error comes later, as an event.
    const connection = (child.stdio as unknown as Socket[] | undefined)?.[CONNECTION];
    child.once("error", () => connection?.destroy());
    if (!connection) throw new Error("no process could be made");
    this.#children.add(child);
    child.once("exit", () => {
      this.#children.delete(child);
      connection.destroy();
    });
    connection.once("close", () => this.#endSoon(child));
    return connection;
  }

  #spawnCell(cell: string): ChildProcess {
    const { keeperSocket, reportSocket = "-", entry, args } = this.#options;
    return spawn(cell, [keeperSocket, reportSocket, process.execPath, entry, ...args], {
      stdio: ["ignore", "ignore", "ignore", "pipe"],
      env: {},
    });
  }

  async #spawnBare(): Promise<ChildProcess> {
    const { keeperSocket, entry, args } = this.#options;
    const keeper = await connectPaused(keeperSocket);
    const child = spawn(process.execPath, [entry, ...args], {
      stdio: ["ignore", "ignore", "ignore", "pipe", keeper],
      // Nothing of our environment is the child's business.
      env: {},
    });
    keeper.destroy();
    return child;
  }

  /** Waits until every child has ended; their connections are closed already. */
  async stop(): Promise<void> {
    await Promise.all(
      [...this.#children].map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        this.#endSoon(child);
        await once(child, "exit");
      }),
    );
  }

  #endSoon(child: ChildProcess): void {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const graceMs = this.#options.cell ? CELL_GRACE_MS : END_GRACE_MS;
    const kill = setTimeout(() => child.kill("SIGKILL"), graceMs);
    child.once("exit", () => clearTimeout(kill));
  }
}

/**
 * The cell's program as this machine can use it.
 *
 * @param path where it is when it was built
 * @returns `undefined`, and why
 */
export function usableCell(path: string): { cell: string | undefined; obstacle?: string } {
  if (!existsSync(path)) return { cell: undefined, obstacle: "ERR_NOT_BUILT" };
  const { status } = spawnSync(path, ["check"], { stdio: "ignore", env: {} });
  return status === 0 ? { cell: path } : { cell: undefined, obstacle: "ERR_REFUSED" };
}

/** Paused, so that not a byte is read here that the child should read. */
function connectPaused(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    socket.pause();
    socket.once("error", reject);
    socket.once("connect", () => resolve(socket));
  });
}
