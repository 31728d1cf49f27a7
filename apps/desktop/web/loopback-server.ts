/**
 * The console for a browser on this machine: the page and its three ways to ask, on 127.0.0.1 only.
 *
 *   GET  /open?token=…     once: sets the cookie, goes to PATH
 *   GET  PATH…             the page and its files
 *   POST PATH api/request  {name, input} -> a result
 *   POST PATH api/stream   {name, input} -> events, one JSON in each line; hanging up is Stop
 *   POST PATH api/events   {} -> events for every page, one JSON in each line
 *
 * @module
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { refused, type ConsoleOwnCode } from "../ipc/error-codes.ts";
import type { ConsoleEvent } from "../ipc/contract.ts";
import type { Router, Sender } from "../ipc/router.ts";
import type { PageFiles } from "../session/page-files.ts";
import { contentSecurityPolicy, fixedHeaders, newNonce } from "../session/page-policy.ts";
import { Admission } from "./admission.ts";

/** The longest message of the contract, each character escaped in JSON. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;

/** A page that does not read its events is dropped when this much waits for it. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024;

/** An empty line this often lets both ends notice that the other is gone. */
const BEAT_MS = 15_000;

/** A browser opens six to one host; a few windows are plenty. */
const MAX_CONNECTIONS = 64;

export interface LoopbackServerOptions {
  readonly page: PageFiles;
  /** The script that makes `window.phantoma`. */
  readonly bridge: Buffer;
  readonly makeRouter: (origin: string) => Router;
  readonly subscribe: (listener: (event: ConsoleEvent) => void) => () => void;
  /** 0 takes a free one. */
  readonly port: number;
}

export class LoopbackServer {
  readonly #options: LoopbackServerOptions;
  readonly #server: Server;
  #admission!: Admission;
  #router!: Router;

  static async listen(options: LoopbackServerOptions): Promise<LoopbackServer> {
    const server = new LoopbackServer(options);
    await new Promise<void>((resolve, reject) => {
      server.#server.once("error", reject).listen(options.port, "127.0.0.1", resolve);
    });
    const { port } = server.#server.address() as AddressInfo;
    server.#admission = new Admission(port);
    server.#router = options.makeRouter(server.#admission.origin);
    return server;
  }

  private constructor(options: LoopbackServerOptions) {
    this.#options = options;
    this.#server = createServer(
      { maxHeaderSize: 16_384, requestTimeout: 30_000 },
      (request, response) => {
        void this.#serve(request, response).catch(() => response.destroy());
      },
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  newLink(): string {
    return this.#admission.newLink();
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(fixedHeaders)) response.setHeader(name, value);
    const admission = this.#admission;
    const { headers, method } = request;
    if (!admission.isOurHost(headers) || !admission.isOurSite(headers))
      return refuse(response, 403, "ERR_FORBIDDEN_SENDER", "this is not the console's own page");
    const [path, query] = split(request.url ?? "");
    if (path === "/open" && method === "GET") return this.#open(query, response);
    if (!admission.hasCookie(headers))
      return refuse(response, 403, "ERR_FORBIDDEN_SENDER", "open the console with its link");
    if (!path.startsWith(admission.path))
      return refuse(response, 404, "ERR_ROUTE", "there is no such page");
    const name = path.slice(admission.path.length);
    if (method === "GET") return this.#file(name, response);
    if (method === "POST") return this.#post(name, request, response);
    return refuse(response, 405, "ERR_ROUTE", "the console is read with GET and asked with POST");
  }

  #open(query: string, response: ServerResponse): void {
    const cookie = this.#admission.redeem(new URLSearchParams(query).get("token"), Date.now());
    if (!cookie)
      return refuse(response, 403, "ERR_FORBIDDEN_SENDER", "this link was used; ask for another");
    response.writeHead(303, { "set-cookie": cookie, location: this.#admission.path }).end();
  }

  #file(name: string, response: ServerResponse): void {
    const { page, bridge } = this.#options;
    if (name === "") {
      const nonce = newNonce();
      const body = page.index(nonce, '<script src="bridge.js"></script>');
      const policy = contentSecurityPolicy(nonce, "'self'");
      const headers = {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": policy,
      };
      response.writeHead(200, headers).end(body);
      return;
    }
    const file =
      name === "bridge.js" ? { body: bridge, contentType: "text/javascript" } : page.get(name);
    if (!file) return refuse(response, 404, "ERR_ROUTE", "there is no such file");
    response.writeHead(200, { "content-type": file.contentType }).end(file.body);
  }

  async #post(name: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { headers } = request;
    if (headers["content-type"] !== "application/json")
      return refuse(response, 415, "ERR_VALIDATION", "the console reads JSON");
    const isTooLong = Number(headers["content-length"]) > MAX_BODY_BYTES;
    const body = isTooLong ? undefined : await readBody(request);
    if (body === undefined) return refuse(response, 413, "ERR_VALIDATION", "this is too large");
    const asked = parseAsked(body);
    if (!asked) return refuse(response, 400, "ERR_VALIDATION", "this is not JSON");
    // The cookie was seen; the policy's frame-ancestors keeps the page out of frames.
    const sender: Sender = { isOurs: true, isTopFrame: true, origin: headers.origin ?? null };
    switch (name) {
      case "api/request":
        return answer(response, 200, await this.#router.request(sender, asked.name, asked.input));
      case "api/stream":
        return this.#stream(sender, asked, response);
      case "api/events":
        if (sender.origin === this.#admission.origin) return this.#events(response);
        return refuse(response, 403, "ERR_FORBIDDEN_SENDER", "this is not the console's own page");
      default:
        return refuse(response, 404, "ERR_ROUTE", "there is no such way to ask");
    }
  }

  async #stream(sender: Sender, asked: Asked, response: ServerResponse): Promise<void> {
    const closed = new AbortController();
    response.once("close", () => closed.abort());
    const send = beginLines(response);
    await this.#router.stream(sender, asked.name, asked.input, send, closed.signal);
    response.end();
  }

  #events(response: ServerResponse): void {
    const stop = this.#options.subscribe(beginLines(response));
    const beat = setInterval(() => response.write("\n"), BEAT_MS);
    response.once("close", () => {
      clearInterval(beat);
      stop();
    });
  }
}

interface Asked {
  readonly name: unknown;
  readonly input: unknown;
}

function parseAsked(untrusted: Buffer): Asked | undefined {
  try {
    const asked: unknown = JSON.parse(untrusted.toString("utf8"));
    return typeof asked === "object" && asked !== null ? (asked as Asked) : undefined;
  } catch {
    return undefined;
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_BODY_BYTES) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function beginLines(response: ServerResponse): (value: unknown) => void {
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  response.flushHeaders();
  return (value) => {
    response.write(`${JSON.stringify(value)}\n`);
    if (response.writableLength > MAX_WAITING_BYTES) response.destroy();
  };
}

function refuse(response: ServerResponse, status: number, code: ConsoleOwnCode, why: string): void {
  // What is still arriving of a refused request is not read.
  response.setHeader("connection", "close");
  answer(response, status, refused(code, why));
}

function answer(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}

function split(url: string): [string, string] {
  const at = url.indexOf("?");
  return at < 0 ? [url, ""] : [url.slice(0, at), url.slice(at + 1)];
}
