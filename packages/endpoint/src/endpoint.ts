/**
 * The endpoint: HTTP on this machine's own addresses, for programs that speak OpenAI's interface or Anthropic's.
 *
 * @module
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ClientError } from "@phantoma/client";
import { countTokens } from "./anthropic/count-tokens.ts";
import { anthropicErrorBody } from "./anthropic/error-body.ts";
import { messages } from "./anthropic/messages.ts";
import { LiveConversations } from "./conversations/live-conversations.ts";
import { NodeLink, type Peer } from "./conversations/node-link.ts";
import type { ApiKeys } from "./door/api-keys.ts";
import { admit } from "./door/door.ts";
import { Exchange } from "./exchange/exchange.ts";
import { chatCompletions } from "./openai/chat/chat-completions.ts";
import { completions } from "./openai/completions/completions.ts";
import { embeddings } from "./openai/embeddings/embeddings.ts";
import { openAiErrorBody } from "./openai/error-body.ts";
import { listModels, showModel } from "./openai/models.ts";
import { responses } from "./openai/responses/responses.ts";
import { ApiError, asApiError } from "./request/api-error.ts";

export interface EndpointOptions extends Peer {
  readonly keys: ApiKeys;
  /** 0 for any free one. */
  readonly port: number;
  /** How many conversations may wait for what comes next, each on a worker of the node. */
  readonly maxIdle?: number;
}

const routes: Readonly<Record<string, (exchange: Exchange, name: string) => Promise<void>>> = {
  "GET /v1/models": listModels,
  "GET /v1/models/": showModel,
  "POST /v1/chat/completions": chatCompletions,
  "POST /v1/completions": completions,
  "POST /v1/embeddings": embeddings,
  "POST /v1/responses": responses,
  "POST /v1/messages": messages,
  "POST /v1/messages/count_tokens": countTokens,
};

/** Where programs find it, on each machine the same. */
export const DEFAULT_PORT = 8421;
/** Answers under way at once; a node has few workers, and what waits holds its body in memory. */
export const MAX_EXCHANGES = 128;
/** Twice as many, so that who comes in a crowd is told. */
const MAX_CONNECTIONS = 256;
/** The body has to be here by then; programs of this machine need milliseconds. */
const REQUEST_TIMEOUT_MS = 30_000;
const DEFAULT_MAX_IDLE = 2;
const LOOPBACKS = ["127.0.0.1", "::1"] as const;

export class Endpoint {
  readonly port: number;
  readonly #servers: readonly Server[];
  readonly #live: LiveConversations;

  /** @throws {@link ClientError} `ERR_UNAVAILABLE` where the port is taken */
  static async start(options: EndpointOptions): Promise<Endpoint> {
    const node = new NodeLink(options);
    const live = new LiveConversations(options.maxIdle ?? DEFAULT_MAX_IDLE);
    let exchanges = 0;
    const handle = async (request: IncomingMessage, response: ServerResponse, port: number) => {
      if (++exchanges > MAX_EXCHANGES) response.setHeader("retry-after", "1");
      try {
        await serve(request, response, { node, live, port, keys: options.keys }, exchanges);
      } finally {
        exchanges--;
      }
    };
    const servers: Server[] = [];
    let { port } = options;
    for (const host of LOOPBACKS) {
      const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
        void handle(request, response, port);
      });
      server.maxConnections = MAX_CONNECTIONS;
      const error = await listening(server, host, port);
      if (error === undefined) servers.push(server);
      else if (host === "127.0.0.1" || error === "EADDRINUSE") {
        for (const open of servers) open.close();
        throw new ClientError("ERR_UNAVAILABLE", `cannot listen on ${host}:${port} (${error})`);
      }
      // Not every machine has ::1; 127.0.0.1 every one has.
      if (host === "127.0.0.1") port = (server.address() as AddressInfo).port;
    }
    return new Endpoint(port, servers, live);
  }

  private constructor(port: number, servers: readonly Server[], live: LiveConversations) {
    this.port = port;
    this.#servers = servers;
    this.#live = live;
  }

  /** Cuts what is under way, and ends every worker that it holds. */
  async close(): Promise<void> {
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
    await this.#live.endAll();
  }
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  context: { node: NodeLink; live: LiveConversations; port: number; keys: ApiKeys },
  exchanges: number,
): Promise<void> {
  let exchange = new Exchange({ request, response }, context, "");
  try {
    const keyName = admit(request.headers, context.port, context.keys);
    if (exchanges > MAX_EXCHANGES)
      throw new ApiError(429, `Over ${MAX_EXCHANGES} requests at once.`, { isPassing: true });
    exchange = new Exchange({ request, response }, context, keyName);
    const { handler, name } = routeOf(request);
    await handler(exchange, name);
  } catch (error) {
    const isAnthropic = request.url?.startsWith("/v1/messages");
    exchange.fail(asApiError(error), isAnthropic ? anthropicErrorBody : openAiErrorBody);
  }
}

/** @throws {@link ApiError} 404 or 405 */
function routeOf({ method = "", url = "" }: IncomingMessage) {
  const path = url.split("?", 1)[0]!;
  const [, collection = path, name = ""] = /^(\/v1\/models\/)(.+)$/.exec(path) ?? [];
  const handler = routes[`${method} ${collection}`];
  if (handler) return { handler, name };
  const isKnown = Object.keys(routes).some((route) => route.endsWith(` ${collection}`));
  throw isKnown
    ? new ApiError(405, "This address takes another method.")
    : new ApiError(404, "There is no such address; docs/endpoint.md lists those that there are.");
}

/** @returns the code of what went wrong */
function listening(server: Server, host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    server.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code ?? "unknown"));
    server.listen({ host, port, ipv6Only: host === "::1" }, () => resolve(undefined));
  });
}
