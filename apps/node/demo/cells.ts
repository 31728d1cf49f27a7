/**
 * Workers and clerks of a demo node under the kernel policy: made here, each in its unit's cgroup, because
 * the gateway may not; what the gateway gets is one end of a connection, as from any other starter.
 *
 * @module
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { FromParent, ToParent } from "../gateway/parent-starter.ts";
import { connectPaused } from "../gateway/starter.ts";

type Role = "worker" | "clerk";

export interface CellsOptions {
  /** The gateway of this run. */
  readonly gateway: ChildProcess;
  /** A socket path of our own, on which connections to ourselves are made. */
  readonly pairSocket: string;
  /** What runs a process of a role, in its cell where there is one: a program and its arguments. */
  readonly command: (role: Role) => readonly [string, ...string[]];
  readonly keeperSocket: (role: Role) => string;
  /** Where a cell says how its process ended; `undefined` where there is no cell, or nobody asks. */
  readonly reportSocket: (role: Role) => string | undefined;
  /** A process whose connection is closed has this long to end by itself, in milliseconds. */
  readonly graceMs: number;
}

export class Cells {
  readonly #options: CellsOptions;
  readonly #children = new Map<number, ChildProcess>();
  /** Ends that are meant for the gateway and are ours until the kernel has them. */
  readonly #untaken = new Set<Socket>();
  readonly #server: Server;
  #pairing: Promise<unknown> = Promise.resolve();

  static async serve(options: CellsOptions): Promise<Cells> {
    // Paused: not a byte may be read here that the process should read.
    const server = createServer({ pauseOnConnect: true });
    server.listen(options.pairSocket);
    await once(server, "listening");
    return new Cells(options, server);
  }

  private constructor(options: CellsOptions, server: Server) {
    this.#options = options;
    this.#server = server;
    options.gateway.on("message", (message: ToParent | { port: number }) => {
      if ("start" in message) void this.#start(message.start, message.id);
      else if ("ended" in message) this.#end(message.ended);
    });
    options.gateway.once("exit", () => this.stop());
  }

  /** Every process of this gateway ends. */
  stop(): void {
    this.#server.close();
    // As long as one is open, the process behind it has somebody to wait for.
    for (const connection of this.#untaken) connection.destroy();
    for (const id of this.#children.keys()) this.#end(id);
  }

  /** Resolves when the last one has ended. */
  async stopped(): Promise<void> {
    this.stop();
    await Promise.all([...this.#children.values()].map((child) => once(child, "exit")));
  }

  async #start(role: Role, id: number): Promise<void> {
    const { gateway, keeperSocket, reportSocket, command } = this.#options;
    const inherited: Socket[] = [];
    try {
      const keeper = await connectPaused(keeperSocket(role));
      inherited.push(keeper);
      const reports = reportSocket(role);
      const report = reports === undefined ? undefined : await connectPaused(reports);
      if (report) inherited.push(report);
      const [ours, theirs] = await this.#pair();
      inherited.push(theirs);
      this.#untaken.add(ours);
      const [program, ...args] = command(role);
      const child = spawn(program, args, {
        stdio: [report ?? "ignore", "ignore", "ignore", theirs, keeper],
        // Nothing of our environment is the child's business.
        env: {},
      });
      child.once("error", () => this.#children.delete(id));
      child.once("exit", () => this.#children.delete(id));
      this.#children.set(id, child);
      this.#handOver(id, ours);
      if (!gateway.connected) this.#end(id);
    } catch {
      // One that has gone meanwhile is told nothing; its processes end with it.
      gateway.send({ failed: id } satisfies FromParent, () => undefined);
    } finally {
      for (const socket of inherited) socket.destroy();
    }
  }

  /**
   * Kept open until it was sent: what Node closes by itself, it closes when the gateway says that it came, and
   * one that is killed before says nothing.
   */
  #handOver(id: number, connection: Socket): void {
    const message: FromParent = { started: id };
    this.#options.gateway.send(message, connection, { keepOpen: true }, () => {
      this.#untaken.delete(connection);
      connection.destroy();
    });
  }

  /** Two ends of one connection, neither of them read here. */
  #pair(): Promise<[Socket, Socket]> {
    const pair = this.#pairing.then(async (): Promise<[Socket, Socket]> => {
      const accepted = once(this.#server, "connection") as Promise<[Socket]>;
      const ours = await connectPaused(this.#options.pairSocket);
      const [theirs] = await accepted;
      return [ours, theirs];
    });
    this.#pairing = pair.catch(() => undefined);
    return pair;
  }

  #end(id: number): void {
    const child = this.#children.get(id);
    if (!child) return;
    const kill = setTimeout(() => child.kill("SIGKILL"), this.#options.graceMs);
    child.once("exit", () => clearTimeout(kill));
  }
}
