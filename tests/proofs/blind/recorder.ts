/**
 * Everything that a herald says to a control plane, byte for byte: the TLS ends here, and what came is passed on.
 *
 * @module
 */
import { request } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer, type Server } from "node:https";
import { TestAuthority } from "../../../apps/node/fetcher/test-model-host.ts";

export const PLANE_NAME = "plane.test";

export class Recorder {
  readonly #server: Server;
  /** Each request: method, path, head as it came, body. */
  readonly requests: Buffer[] = [];
  readonly heartbeats: Buffer[] = [];
  readonly authorityPem: string;

  static async start(controlPlanePort: number): Promise<Recorder> {
    const authority = await TestAuthority.make();
    const recorder = new Recorder(
      await authority.issue(PLANE_NAME),
      authority.pem,
      controlPlanePort,
    );
    await new Promise<void>((resolve) => recorder.#server.listen(0, "127.0.0.1", resolve));
    return recorder;
  }

  private constructor(tls: { key: string; cert: string }, authorityPem: string, port: number) {
    this.authorityPem = authorityPem;
    this.#server = createServer(tls, (asked, answered) => {
      const parts: Buffer[] = [];
      asked
        .on("data", (part: Buffer) => parts.push(part))
        .on("end", () => {
          const body = Buffer.concat(parts);
          const head = `${asked.method} ${asked.url}\n${asked.rawHeaders.join("\n")}\n`;
          this.requests.push(Buffer.concat([Buffer.from(head, "latin1"), body]));
          if (asked.url === "/v1/heartbeats") this.heartbeats.push(body);
          const { method, url: path, headers } = asked;
          const how = { host: "127.0.0.1", port, method, path, headers } as const;
          const onward = request(how, (response) => {
            answered.writeHead(response.statusCode!, response.headers);
            response.pipe(answered);
          });
          onward.on("error", () => answered.destroy());
          onward.end(body);
        });
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.requests);
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
