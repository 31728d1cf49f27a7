/**
 * How the gateway comes by a fresh process: one function, and what it gives is a connection.
 *
 * No pid, no signal, no standard streams: cancel, timeout and end are closing the connection. Under
 * systemd the connection is to `phantoma-worker.socket` and PID 1 makes the process; here we do.
 *
 * @module
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { CELL_GRACE_MS, inCell } from "../cell/cell-command.ts";

export interface Starter {
  /** A connection to a process that nobody has used; rejects when none can be made. */
  start(): Promise<Duplex>;
}

export interface ChildStarterOptions {
  /** The process's main file. */
  readonly entry: string;
  readonly args: readonly string[];
  /** Opened here and inherited, so that the process needs no right to open sockets. */
  readonly keeperSocket: string;
  /** The cell's program; `undefined` where this machine has none. */
  readonly cell: string | undefined;
  /** Where the cell says how the process ended; absent where nobody asks. */
  readonly reportSocket?: string;
}

/** A process whose connection is closed has this long to end by itself, in milliseconds. */
export const END_GRACE_MS = 3_000;

/** Makes processes as children of the gateway: demo mode, certified as such. */
export class ChildStarter implements Starter {
  readonly #options: ChildStarterOptions;
  readonly #children = new Set<ChildProcess>();

  constructor(options: ChildStarterOptions) {
    this.#options = options;
  }

  async start(): Promise<Duplex> {
    const { entry, args, cell, keeperSocket, reportSocket } = this.#options;
    const program = [process.execPath, entry, ...args] as const;
    const keeper = await connectPaused(keeperSocket);
    const report = cell && reportSocket ? await connectPaused(reportSocket) : undefined;
    const [file, ...rest] = cell ? inCell(cell, report !== undefined, program) : program;
    const child = spawn(file, rest, {
      stdio: [report ?? "ignore", "ignore", "ignore", "pipe", keeper],
      // Nothing of our environment is the child's business.
      env: {},
    });
    keeper.destroy();
    report?.destroy();
    // Out of descriptors there are no streams at all, and the error comes later, as an event.
    const connection = (child.stdio as unknown as Socket[] | undefined)?.[3];
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

/** Paused, so that not a byte is read here that the child should read. */
export function connectPaused(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    socket.pause();
    socket.once("error", reject);
    socket.once("connect", () => resolve(socket));
  });
}
