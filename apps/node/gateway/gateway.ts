/**
 * The one door of a node: TLS, tickets, queues, relay. It never parses a record and holds no key but
 * the TLS key.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import { createServer, type Server } from "node:https";
import type { Duplex } from "node:stream";
import { activeDevice, MAX_SEALED_BYTES, NO_MODEL, type Ticket } from "@phantoma/crypto";
import {
  ASK_AHEAD_MS,
  CloseCode,
  refusals,
  TICKET_HEADER,
  TUNNEL_PATH,
  type RefusalCode,
} from "@phantoma/protocol";
import { WebSocketServer } from "ws";
import type { DeviceListFolder } from "../devices/device-list-folder.ts";
import type { Successions } from "../devices/successions.ts";
import type { Log } from "../log/log.ts";
import { readCatalogue } from "../models/model-store.ts";
import { UsedTickets } from "../tickets/used-tickets.ts";
import { admit, successionFor, TICKET_MEMORY_MS } from "./admission.ts";
import { DecodeGate } from "./decode-gate.ts";
import { LiveBudget } from "./live-budget.ts";
import { Pool } from "./pool.ts";
import type { Starter } from "./starter.ts";
import { TickClock } from "./tick-clock.ts";
import { Tunnel } from "./tunnel.ts";

/** Open connections, tunnels and strangers together. */
const MAX_CONNECTIONS = 4_000;
/** Control sessions of one device at once: a console, a terminal, one that is being replaced. */
const MAX_CLERKS_PER_DEVICE = 4;
/** A stranger has this long to say what it wants, in milliseconds. */
const HELLO_TIMEOUT_MS = 10_000;
/** How often that is looked at; Node's own 30 s would make 40 of the 10. */
const HELLO_CHECK_MS = 1_000;
/** A refusal fits into one packet; who does not take it in this time goes without, in milliseconds. */
const LAST_WORD_MS = 1_000;
/** A request line and a ticket need 1 KiB. */
const MAX_HEADER_BYTES = 8_192;

export interface GatewayOptions {
  readonly node: Uint8Array;
  readonly tls: { readonly key: string; readonly cert: string };
  readonly devices: DeviceListFolder;
  /** For devices that know the node by a key of before. */
  readonly successions: Successions;
  readonly modelsDir: string;
  readonly workers: Starter;
  readonly clerks: Starter;
  readonly tickMs: number;
  /** Warm workers per model, live workers, waiting tunnels per model, computing threads. */
  readonly warm: number;
  readonly maxLive: number;
  readonly maxWaiting: number;
  readonly maxThreads: number;
  /** Task sessions of one device at once, waiting or served: nobody takes the whole queue. */
  readonly maxPerDevice: number;
  readonly log: Log;
}

/** Clerks start fast and live briefly. */
const CLERKS = { warm: 1, maxWaiting: 64 } as const;
const MAX_CLERKS = 16;

export class Gateway {
  readonly #options: GatewayOptions;
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_SEALED_BYTES,
    clientTracking: false,
    skipUTF8Validation: true,
  });
  readonly #clock: TickClock;
  readonly #gate: DecodeGate;
  readonly #used = new UsedTickets(TICKET_MEMORY_MS);
  readonly #pools = new Map<string, Pool>();
  readonly #workers: LiveBudget;
  readonly #clerks: Pool;
  readonly #tunnels = new Map<Tunnel, Ticket>();
  /** How many sessions each device has of each service. */
  readonly #sessions = new Map<string, number>();

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#clock = new TickClock(options.tickMs, ASK_AHEAD_MS);
    this.#gate = new DecodeGate(options.maxThreads);
    this.#workers = new LiveBudget(options.maxLive);
    this.#clerks = new Pool({
      ...CLERKS,
      budget: new LiveBudget(MAX_CLERKS),
      starter: options.clerks,
      model: NO_MODEL,
      log: options.log,
    });
    for (const digest of this.#modelDigests()) this.#workerPool(digest);
    this.#server = createServer(
      {
        ...options.tls,
        minVersion: "TLSv1.3",
        // Not a list: Node would copy it for each connection, into a pool that stays with it.
        ALPNCallback: ({ protocols }) => protocols.find((protocol) => protocol === "http/1.1"),
        handshakeTimeout: HELLO_TIMEOUT_MS,
        maxHeaderSize: MAX_HEADER_BYTES,
        connectionsCheckingInterval: HELLO_CHECK_MS,
      },
      (_request, response) => response.writeHead(404, { connection: "close" }).end(),
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.headersTimeout = HELLO_TIMEOUT_MS;
    this.#server.requestTimeout = HELLO_TIMEOUT_MS;
    this.#server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
    this.#server.on("tlsClientError", (_error, socket) => socket.destroy());
    options.devices.watch(
      () => this.#closeRevoked(),
      () => options.log("device-list-unreadable"),
    );
  }

  /** @returns the port, which is chosen by the system where `port` is 0 */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, () => {
        resolve((this.#server.address() as { port: number }).port);
      });
    });
  }

  stop(): void {
    this.#server.close();
    for (const tunnel of this.#tunnels.keys()) {
      tunnel.note({ note: "going-away" });
      tunnel.close(CloseCode.goingAway);
    }
    for (const pool of [this.#clerks, ...this.#pools.values()]) pool.stop();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => socket.destroy());
    if (request.url !== TUNNEL_PATH || request.method !== "GET")
      return hangUp(socket, "HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n");
    const now = Date.now();
    const devices = this.#options.devices.current;
    const door = {
      node: this.#options.node,
      devices,
      used: this.#used,
      hasModel: (digest: Uint8Array) => this.#workerPool(hex(digest)) !== undefined,
    };
    const admitted = admit(request.headers[TICKET_HEADER], door, now);
    if (typeof admitted === "string")
      return refuse(socket, admitted, now, this.#successionFor(request, admitted));
    const { ticket } = admitted.genuine;
    const pool = ticket.service === "task" ? this.#workerPool(hex(ticket.model)) : this.#clerks;
    if (!pool || pool.isFull || this.#hasEnough(ticket)) return refuse(socket, "ERR_BUSY", now);
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const options = { socket: webSocket, ticket: admitted.bytes, pool };
      const tunnel = new Tunnel({ ...options, clock: this.#clock, gate: this.#gate }, () =>
        this.#tunnelClosed(tunnel),
      );
      this.#tunnels.set(tunnel, ticket);
      this.#count(ticket, 1);
    });
  }

  #successionFor(request: IncomingMessage, code: RefusalCode): Buffer | undefined {
    if (code !== "ERR_TICKET_REFUSED") return undefined;
    return successionFor(request.headers[TICKET_HEADER], this.#options.successions);
  }

  #tunnelClosed(tunnel: Tunnel): void {
    const ticket = this.#tunnels.get(tunnel);
    if (ticket) this.#count(ticket, -1);
    this.#tunnels.delete(tunnel);
    if (tunnel.late > 0) this.#options.log("late-records", { count: tunnel.late });
  }

  /** The pool of an offered model, made when it is first asked for. */
  #workerPool(digest: string): Pool | undefined {
    const known = this.#pools.get(digest);
    if (known) return known;
    if (!this.#modelDigests().includes(digest)) return undefined;
    const { workers: starter, warm, maxWaiting, log } = this.#options;
    const model = Buffer.from(digest, "hex");
    const pool = new Pool({ starter, warm, budget: this.#workers, maxWaiting, model, log });
    this.#pools.set(digest, pool);
    return pool;
  }

  /** None where the catalogue cannot be read: what runs goes on, nothing new is offered. */
  #modelDigests(): string[] {
    try {
      return readCatalogue(this.#options.modelsDir).map(({ digest }) => digest);
    } catch {
      this.#options.log("catalogue-unreadable");
      return [];
    }
  }

  /** Whether the device has all the sessions of this kind that one device may have. */
  #hasEnough({ device, service }: Ticket): boolean {
    const limit = service === "task" ? this.#options.maxPerDevice : MAX_CLERKS_PER_DEVICE;
    return (this.#sessions.get(sessionKey(device, service)) ?? 0) >= limit;
  }

  #count({ device, service }: Ticket, change: 1 | -1): void {
    const key = sessionKey(device, service);
    const count = (this.#sessions.get(key) ?? 0) + change;
    if (count > 0) this.#sessions.set(key, count);
    else this.#sessions.delete(key);
  }

  #closeRevoked(): void {
    for (const [tunnel, { device }] of this.#tunnels)
      if (!activeDevice(this.#options.devices.current, device)) tunnel.close(CloseCode.revoked);
  }
}

/** Answers a refused upgrade with its code and the node's time, and with the key it has now where it had another. */
function refuse(socket: Duplex, refused: RefusalCode, now: number, succession?: Buffer): void {
  const code = succession ? "ERR_NODE_SUCCEEDED" : refused;
  const follow = succession && { succession: succession.toString("base64") };
  const body = JSON.stringify({ code, nodeTime: now, ...follow });
  const head = [
    `HTTP/1.1 ${refusals[code]} Refused`,
    "content-type: application/json",
    `content-length: ${body.length}`,
    "connection: close",
  ];
  hangUp(socket, `${head.join("\r\n")}\r\n\r\n${body}`);
}

/** A last word, then the connection is gone: a stranger who keeps its side open gets no second. */
function hangUp(socket: Duplex, lastWord: string): void {
  const late = setTimeout(() => socket.destroy(), LAST_WORD_MS);
  socket.end(lastWord, () => {
    clearTimeout(late);
    socket.destroy();
  });
}

function sessionKey(device: Uint8Array, service: Ticket["service"]): string {
  return `${service} ${hex(device)}`;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
