/**
 * Clients that do not behave: bytes, frames, tickets and records as an attacker wants them.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import type { NodeProfile } from "@phantoma/client";
import { NO_MODEL, ticketDocument, type DeviceIdentity, type Ticket } from "@phantoma/crypto";
import { TICKET_HEADER, TUNNEL_PATH } from "@phantoma/protocol";
import { PATIENCE_MS, within } from "./expect.ts";
import type { Stage } from "./stage.ts";

/** A ticket as a device signs it, but for what the attacker changes. */
export function makeTicket(
  stage: Stage,
  changes: Partial<Ticket> = {},
  signer: DeviceIdentity = stage.device,
): Uint8Array {
  const fields: Ticket = {
    node: Buffer.from(stage.node.profile.nodeKey, "hex"),
    device: signer.signing.publicKey,
    service: "task",
    model: changes.service === "control" ? NO_MODEL : stage.model,
    nonce: randomBytes(16),
    issuedAt: Date.now(),
    ...changes,
  };
  const ticket = ticketDocument.sign(fields, signer.signing.privateKey);
  stage.trace.addSecretBytes("a ticket", ticket);
  return ticket;
}

/** The upgrade's text; `lines` are further headers. */
export function upgradeRequest(ticket: Uint8Array | undefined, ...lines: string[]): string {
  const header = ticket ? [`${TICKET_HEADER}: ${Buffer.from(ticket).toString("base64url")}`] : [];
  return [
    `GET ${TUNNEL_PATH} HTTP/1.1`,
    "host: node",
    "connection: upgrade",
    "upgrade: websocket",
    "sec-websocket-version: 13",
    `sec-websocket-key: ${randomBytes(16).toString("base64")}`,
    ...header,
    ...lines,
    "\r\n",
  ].join("\r\n");
}

export interface Reply {
  readonly status: number;
  readonly head: string;
  /** Of a refusal; empty where there was none. */
  readonly code: string;
}

/** A TLS connection that says whatever it is told to, and remembers what came back. */
export class RawConnection {
  readonly socket: TLSSocket;
  readonly closed: Promise<void>;
  #received = Buffer.alloc(0);
  #wake: (() => void) | undefined;
  #isClosed = false;

  static async open(profile: NodeProfile, options: ConnectionOptions = {}): Promise<RawConnection> {
    const { hostname: host, port } = new URL(profile.url);
    const target = { host, port: Number(port), ca: profile.tlsCertificate };
    const socket = connect({ ...target, checkServerIdentity: () => undefined, ...options });
    await new Promise<void>((resolve, reject) => {
      socket.once("secureConnect", resolve).once("error", reject);
    });
    return new RawConnection(socket);
  }

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        this.#isClosed = true;
        this.#wake?.();
        resolve();
      });
    });
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake?.();
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Sends, and reads the head and a refusal of the answer. */
  async ask(text: string): Promise<Reply> {
    this.socket.write(text);
    const end = await this.#find("\r\n\r\n");
    if (end < 0) return { status: 0, head: "", code: "" };
    const head = this.#received.subarray(0, end).toString("latin1");
    const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1] ?? 0);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    await this.#wait(() => this.#received.length >= end + 4 + length);
    const body = this.#received.subarray(end + 4, end + 4 + length).toString("latin1");
    this.#received = this.#received.subarray(end + 4 + length);
    return { status, head, code: /"code":"(\w+)"/.exec(body)?.[1] ?? "" };
  }

  /** The close code of the next close frame; 1006 where the connection just ended. */
  async closeCode(): Promise<number> {
    let code: number | undefined;
    await this.#wait(() => (code = this.#takeCloseFrame()) !== undefined);
    return code ?? 1006;
  }

  end(): void {
    this.socket.destroy();
  }

  #takeCloseFrame(): number | undefined {
    for (;;) {
      if (this.#received.length < 2) return undefined;
      const short = this.#received[1]! & 0x7f;
      const start = short === 126 ? 4 : 2;
      const length = short === 126 ? this.#received.readUInt16BE(2) : short;
      if (this.#received.length < start + length) return undefined;
      const body = this.#received.subarray(start, start + length);
      const isClose = (this.#received[0]! & 0x0f) === 8;
      this.#received = this.#received.subarray(start + length);
      if (isClose) return length >= 2 ? body.readUInt16BE(0) : 1005;
    }
  }

  async #find(text: string): Promise<number> {
    await this.#wait(() => this.#received.includes(text));
    return this.#received.indexOf(text);
  }

  /** Until it is seen, or nothing more can come. */
  #wait(isSeen: () => boolean): Promise<void> {
    const seen = (async () => {
      while (!isSeen() && !this.#isClosed)
        await new Promise<void>((resolve) => (this.#wake = resolve));
    })();
    return within(PATIENCE_MS, seen, "the gateway's answer");
  }
}

/** One request on a connection of its own. */
export async function knock(profile: NodeProfile, text: string): Promise<Reply> {
  const connection = await RawConnection.open(profile);
  try {
    return await connection.ask(text);
  } finally {
    connection.end();
  }
}

/** A connection that was let in. */
export async function enter(stage: Stage, ticket = makeTicket(stage)): Promise<RawConnection> {
  const connection = await RawConnection.open(stage.node.profile);
  const { status, code } = await connection.ask(upgradeRequest(ticket));
  if (status !== 101) throw new Error(`refused with ${status} ${code}`);
  return connection;
}

export const Opcode = { continuation: 0, text: 1, binary: 2, ping: 9 } as const;

/** A client's WebSocket frame (RFC 6455, section 5.2); a mask of zeros leaves the bytes as they are. */
export function webSocketFrame(
  opcode: number,
  payload: Uint8Array,
  { isLast = true, isCompressed = false, isMasked = true } = {},
): Buffer {
  const long = payload.length > 65_535 ? 8 : payload.length > 125 ? 2 : 0;
  const head = Buffer.alloc(2 + long + (isMasked ? 4 : 0));
  head[0] = (isLast ? 0x80 : 0) | (isCompressed ? 0x40 : 0) | opcode;
  head[1] = (isMasked ? 0x80 : 0) | (long === 8 ? 127 : long === 2 ? 126 : payload.length);
  if (long === 2) head.writeUInt16BE(payload.length, 2);
  if (long === 8) head.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([head, payload]);
}
