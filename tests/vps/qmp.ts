/**
 * QEMU's monitor socket: one command at a time, answered in order.
 *
 * Source: QEMU Machine Protocol 1.0. Events are passed over, except in {@link Monitor.event}.
 *
 * @module
 */
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

interface Message {
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
  readonly event?: string;
}

/** QEMU makes its socket before it does anything slow, in milliseconds. */
const SOCKET_TIMEOUT_MS = 10_000;
const SOCKET_RETRY_MS = 50;

export class Monitor {
  readonly #socket: Socket;
  readonly #answers: ((message: Message) => void)[] = [];
  readonly #events: { name: string; seen: () => void }[] = [];

  static async open(path: string): Promise<Monitor> {
    const monitor = new Monitor(await connectWhenThere(path));
    await monitor.ask("qmp_capabilities");
    return monitor;
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", () => socket.destroy());
    socket.once("close", () => {
      for (const answer of this.#answers.splice(0))
        answer({ error: { desc: "the guest's monitor hung up" } });
    });
    const lines = createInterface(socket);
    // It repeats the socket's errors, which have been dealt with.
    lines.on("error", () => lines.close());
    lines.on("line", (line) => {
      const message = JSON.parse(line) as Message;
      if (message.event) this.#seen(message.event);
      else if ("return" in message || message.error) this.#answers.shift()?.(message);
    });
  }

  /** @throws Error with QEMU's own words */
  ask<T>(execute: string, options: Record<string, unknown> = {}): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new Error(`${execute}: the guest is gone`));
      this.#answers.push(({ return: value, error }) => {
        if (error) reject(new Error(`${execute}: ${error.desc}`));
        else resolve(value as T);
      });
      this.#socket.write(`${JSON.stringify({ execute, arguments: options })}\n`);
    });
  }

  /** Resolves at the next event of that name. */
  event(name: string): Promise<void> {
    return new Promise((seen) => this.#events.push({ name, seen }));
  }

  close(): void {
    this.#socket.destroy();
  }

  #seen(event: string): void {
    for (const waiting of this.#events.filter(({ name }) => name === event)) {
      this.#events.splice(this.#events.indexOf(waiting), 1);
      waiting.seen();
    }
  }
}

async function connectWhenThere(path: string): Promise<Socket> {
  const deadline = Date.now() + SOCKET_TIMEOUT_MS;
  for (;;) {
    try {
      return await new Promise<Socket>((resolve, reject) => {
        const socket = connect({ path });
        socket.once("error", reject);
        socket.once("connect", () => resolve(socket.off("error", reject)));
      });
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(SOCKET_RETRY_MS);
    }
  }
}
