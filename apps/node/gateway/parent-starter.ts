/**
 * Processes made by the gateway's parent: under the kernel policy of a demo node the gateway may put nobody
 * into another cgroup, so it asks the one who put it into its own.
 *
 *   {start, id} ──────────> parent      makes a process
 *               <────────── {started: id} and the connection, or {failed: id}
 *   {ended: id} ──────────> parent      the connection is closed: the process has to end
 *
 * @module
 */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Starter } from "./starter.ts";

export type ToParent =
  { readonly start: "worker" | "clerk"; readonly id: number } | { readonly ended: number };
export type FromParent = { readonly started: number } | { readonly failed: number };

/** The messages of a process that was forked, as `process` has them. */
export interface ParentLink {
  send(message: ToParent): void;
  on(event: "message", take: (message: FromParent, handle: unknown) => void): unknown;
}

export class ParentStarter implements Starter {
  readonly #parent: ParentLink;
  readonly #role: "worker" | "clerk";
  readonly #waiting = new Map<number, PromiseWithResolvers<Duplex>>();

  constructor(parent: ParentLink, role: "worker" | "clerk") {
    this.#parent = parent;
    this.#role = role;
    parent.on("message", (message, handle) => this.#take(message, handle as Socket | undefined));
  }

  start(): Promise<Duplex> {
    const id = nextId++;
    const waiting = Promise.withResolvers<Duplex>();
    this.#waiting.set(id, waiting);
    this.#parent.send({ start: this.#role, id });
    return waiting.promise;
  }

  /** The parent ends what it started, when it ends us. */
  async stop(): Promise<void> {}

  #take(message: FromParent, connection: Socket | undefined): void {
    const id = "started" in message ? message.started : message.failed;
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    this.#waiting.delete(id);
    if (!connection || "failed" in message)
      return waiting.reject(new Error("no process could be made"));
    connection.on("error", () => connection.destroy());
    connection.once("close", () => this.#parent.send({ ended: id }));
    waiting.resolve(connection);
  }
}

/** Of both roles: the parent knows a process by its number alone. */
let nextId = 1;
