/**
 * A real node with an endpoint in front of it, for the tests of this folder. Not part of the product.
 *
 * @module
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startNode, type NodeUnderTest } from "../../../tests/node-under-test.ts";
import { ApiKeys } from "./door/api-keys.ts";
import { Endpoint } from "./endpoint.ts";

/** A node on a busy machine is slow to start, in milliseconds. */
export const NODE_TIMEOUT_MS = 90_000;

export class EndpointUnderTest {
  readonly #running: NodeUnderTest;
  readonly #endpoint: Endpoint;
  readonly #dir: string;

  /** With the keys `one` and `two`. */
  static async start(): Promise<EndpointUnderTest> {
    const running = await startNode({ models: ["tiny", "echo"] });
    const dir = mkdtempSync(join(tmpdir(), "endpoint-"));
    ApiKeys.add(dir, "one");
    ApiKeys.add(dir, "two");
    const { profile } = running.node;
    const keys = ApiKeys.open(dir);
    const endpoint = await Endpoint.start({ profile, device: running.device, keys, port: 0 });
    return new EndpointUnderTest(running, endpoint, dir);
  }

  private constructor(running: NodeUnderTest, endpoint: Endpoint, dir: string) {
    this.#running = running;
    this.#endpoint = endpoint;
    this.#dir = dir;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#endpoint.port}`;
  }

  get url(): string {
    return `${this.origin}/v1`;
  }

  /** Endless: it answers printable noise. */
  get tiny(): string {
    return this.#running.node.models[0]!.name;
  }

  /** Repeats its prompt. */
  get echo(): string {
    return this.#running.node.models[1]!.name;
  }

  key(name: string): string {
    return readFileSync(join(this.#dir, name), "utf8").trim();
  }

  async stop(): Promise<void> {
    await this.#endpoint.close();
    await this.#running.node.stop();
    rmSync(this.#dir, { recursive: true });
  }
}
