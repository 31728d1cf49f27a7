/**
 * Processes made by PID 1: a connection to a socket unit with `Accept=yes` is a fresh process.
 *
 * What comes back when the process cannot start, or none more is allowed, is a connection that closes;
 * the pool tells that from one that warms up.
 *
 * @module
 */
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import type { Starter } from "./starter.ts";

export class SystemdStarter implements Starter {
  readonly #socketPath: string;

  /** @param socketPath of the socket unit; its permissions let the gateway in and nobody else */
  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  start(): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      const connection = connect({ path: this.#socketPath });
      connection.once("error", reject);
      connection.once("connect", () => {
        connection.off("error", reject);
        // From here on the holder hears of it as "close".
        connection.on("error", () => connection.destroy());
        resolve(connection);
      });
    });
  }

  /** PID 1 ends what it started when its connection closes; there is nothing to wait for here. */
  async stop(): Promise<void> {}
}
