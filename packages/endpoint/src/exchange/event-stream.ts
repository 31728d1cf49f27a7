/**
 * Server-sent events: an answer that is read while it comes.
 *
 * Source: HTML Living Standard, section 9.2.
 *
 * @module
 */
import { once } from "node:events";
import type { ServerResponse } from "node:http";

export class EventStream {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  /** Waits for a program that reads more slowly than the model writes. */
  async send(value: object, event?: string): Promise<void> {
    const name = event === undefined ? "" : `event: ${event}\n`;
    await this.sendLine(`${name}data: ${JSON.stringify(value)}`);
  }

  async sendLine(line: string): Promise<void> {
    const response = this.#response;
    if (response.destroyed) return;
    if (!response.headersSent)
      response.writeHead(200, {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store",
      });
    if (response.write(`${line}\n\n`)) return;
    // Who goes away never drains.
    const gone = new AbortController();
    const leave = () => gone.abort();
    response.once("close", leave);
    await once(response, "drain", { signal: gone.signal }).catch(() => undefined);
    response.off("close", leave);
  }
}
