/**
 * Where the node's herald knocks: TLS ends here, and what comes is passed on to the real control plane; or answered as one
 * would that was taken over.
 *
 * @module
 */
import { createReadStream, existsSync, statSync } from "node:fs";
import { request, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { TestAuthority } from "../../../apps/node/fetcher/test-model-host.ts";

export const PLANE_NAME = "plane.test";

/** What a taken-over control plane does; what is left out is as honest as it was. */
export interface Takeover {
  /** Of its own making: the real control plane hears nothing of this heartbeat. */
  readonly invent?: (heartbeat: Buffer) => Buffer;
  /** Of the real answer. */
  readonly change?: (real: Buffer) => Buffer;
  readonly status?: number;
  /** A folder whose releases it serves. */
  readonly releases?: string;
}

export class Front {
  readonly authorityPem: string;
  takeover: Takeover = {};
  /** Every answer of the real one, newest first. */
  readonly answers: Buffer[] = [];
  readonly #server: Server;
  readonly #port: number;

  static async start(controlPlanePort: number): Promise<Front> {
    const authority = await TestAuthority.make();
    const front = new Front(await authority.issue(PLANE_NAME), authority.pem, controlPlanePort);
    await new Promise<void>((resolve) => front.#server.listen(0, "127.0.0.1", resolve));
    return front;
  }

  private constructor(tls: { key: string; cert: string }, authorityPem: string, port: number) {
    this.authorityPem = authorityPem;
    this.#port = port;
    this.#server = createServer(tls, (asked, answered) => void this.#serve(asked, answered));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #serve(asked: IncomingMessage, answered: ServerResponse): Promise<void> {
    const { takeover } = this;
    const { method = "GET", url: path = "/", headers } = asked;
    const [, file] = /^\/v1\/releases\/([\w./-]+)$/.exec(path) ?? [];
    if (file && takeover.releases) return serveFile(join(takeover.releases, file), answered);
    const body = await bytesOf(asked);
    const { invent, status = 200 } = takeover;
    if (path === "/v1/heartbeats" && (invent || status !== 200))
      return say(answered, status, invent?.(body) ?? Buffer.alloc(0));
    const how = { host: "127.0.0.1", port: this.#port, method, path, headers } as const;
    const onward = request(how, (response) => {
      if (path === "/v1/heartbeats") return void this.#answer(response, answered);
      answered.writeHead(response.statusCode!, response.headers);
      response.pipe(answered);
      return undefined;
    });
    onward.on("error", () => answered.destroy());
    onward.end(body);
  }

  async #answer(response: IncomingMessage, answered: ServerResponse): Promise<void> {
    const real = await bytesOf(response);
    this.answers.unshift(real);
    say(answered, response.statusCode!, this.takeover.change?.(real) ?? real);
  }
}

function say(answered: ServerResponse, status: number, body: Buffer): void {
  answered.writeHead(status, { "content-length": body.length }).end(body);
}

function serveFile(path: string, answered: ServerResponse): void {
  if (!existsSync(path)) return void answered.writeHead(404).end();
  answered.writeHead(200, { "content-length": statSync(path).size });
  createReadStream(path).pipe(answered);
}

async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
