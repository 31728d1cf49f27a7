/**
 * A warden's end of the socket that a test speaks for. Not part of the product.
 *
 * @module
 */
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { temporaryDir } from "../test-node.ts";
import { LineReader } from "./line-reader.ts";
import type { WardenStatus } from "./warden-words.ts";

export class TestWarden {
  readonly path = join(temporaryDir(), "warden.sock");
  /** Every line that the keeper said. */
  readonly heard: string[] = [];
  status: WardenStatus = {
    version: 1,
    bootId: "ab".repeat(16),
    policy: "cd".repeat(32),
    tiers: ["cgroup"],
    missing: [{ tier: "lsm", reason: "EPERM" }],
    verifiedAt: 5,
    fault: null,
    counts: [],
    window: null,
    deviceListVersion: 0,
    highestCounter: "0",
  };
  /** What it says to a line; `undefined` keeps the answer back. */
  answer: (line: string) => string | undefined = () => "ok {}";
  #socket: Socket | undefined;
  #server = createServer((socket) => this.#serve(socket));

  static async start(): Promise<TestWarden> {
    const warden = new TestWarden();
    await warden.listen();
    onTestFinished(() => warden.stop());
    return warden;
  }

  async listen(): Promise<void> {
    this.#server = createServer((socket) => this.#serve(socket));
    await new Promise<void>((resolve) => this.#server.listen(this.path, resolve));
  }

  say(line: string): void {
    this.#socket?.write(`${line}\n`);
  }

  /** As when it is killed: the connection breaks and the socket is gone. */
  stop(): void {
    this.#server.close();
    this.#socket?.destroy();
  }

  #serve(socket: Socket): void {
    this.#socket = socket;
    const lines = new LineReader(200_000);
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      for (const line of lines.push(chunk)) {
        this.heard.push(line);
        const answer = line === "status" ? `ok ${JSON.stringify(this.status)}` : this.answer(line);
        if (answer !== undefined) socket.write(`${answer}\n`);
      }
    });
  }
}
