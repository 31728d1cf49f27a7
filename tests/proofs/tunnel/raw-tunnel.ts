/**
 * A device with genuine keys and no manners: its handshake is right, its records are the attacker's.
 *
 * @module
 */
import type { NodeProfile } from "@phantoma/client";
import { documentHash, startInitiator, type DeviceIdentity, type Session } from "@phantoma/crypto";
import {
  encodeJson,
  MAX_RESPONSE_BYTES,
  SecureChannel,
  TaskKind,
  TICKET_HEADER,
  TUNNEL_PATH,
  tunnelPrologue,
  type Received,
} from "@phantoma/protocol";
import { WebSocket } from "ws";
import { PATIENCE_MS, Unexpected, within } from "./expect.ts";
import { makeTicket } from "./raw-client.ts";
import type { Stage } from "./stage.ts";

/** A WebSocket to a gateway, without any of the client's checks. */
export function dial(profile: NodeProfile, ticket: Uint8Array): Promise<WebSocketEnd> {
  const socket = new WebSocket(new URL(TUNNEL_PATH, profile.url), {
    headers: { [TICKET_HEADER]: Buffer.from(ticket).toString("base64url") },
    perMessageDeflate: false,
    rejectUnauthorized: false,
  });
  const end = new WebSocketEnd(socket);
  return new Promise((resolve, reject) => {
    socket.once("open", () => resolve(end)).once("error", reject);
  });
}

/** Reads binary messages one by one, whichever side of a WebSocket it stands on. */
export class WebSocketEnd {
  readonly socket: WebSocket;
  /** How many binary messages came. */
  count = 0;
  readonly closed: Promise<number>;
  readonly notes: string[] = [];
  readonly #messages: Buffer[] = [];
  #wake: (() => void) | undefined;
  #isClosed = false;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("error", () => socket.terminate());
    socket.on("message", (bytes: Buffer, isBinary) => {
      if (isBinary) {
        this.count += 1;
        this.#messages.push(Buffer.from(bytes));
      } else this.notes.push(bytes.toString("utf8"));
      this.#wake?.();
    });
    this.closed = new Promise((resolve) => {
      socket.once("close", (code) => {
        this.#isClosed = true;
        this.#wake?.();
        resolve(code);
      });
    });
  }

  /** The next binary message; throws when none can come any more. */
  next(): Promise<Buffer> {
    const next = (async () => {
      while (this.#messages.length === 0) {
        if (this.#isClosed) throw new Unexpected("the connection was closed");
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
      return this.#messages.shift()!;
    })();
    return within(PATIENCE_MS, next, "a message");
  }

  send(bytes: Uint8Array): void {
    this.socket.send(bytes);
  }
}

export class RawTunnel {
  readonly end: WebSocketEnd;
  readonly #session: Session;
  readonly #channel: SecureChannel;
  readonly #received: Received[] = [];

  /** Opens a tunnel to a worker, or to a clerk. */
  static async open(
    stage: Stage,
    service: "task" | "control" = "task",
    device: DeviceIdentity = stage.device,
  ): Promise<RawTunnel> {
    const ticket = makeTicket(stage, { service }, device);
    const end = await dial(stage.node.profile, ticket);
    const { message1, next } = await startInitiator({
      localStatic: device.tunnel,
      prologue: tunnelPrologue(
        Buffer.from(stage.node.profile.nodeKey, "hex"),
        documentHash(ticket),
      ),
    });
    end.send(message1);
    const { message3, session } = next.read(await end.next()).next.write();
    end.send(message3);
    return new RawTunnel(end, session);
  }

  /** … and opens a conversation in it. */
  static async converse(stage: Stage): Promise<RawTunnel> {
    const tunnel = await RawTunnel.open(stage);
    tunnel.say(0, openMessage(), false);
    await tunnel.expectKind(TaskKind.opened);
    return tunnel;
  }

  private constructor(end: WebSocketEnd, session: Session) {
    this.end = end;
    this.#session = session;
    this.#channel = new SecureChannel(session, MAX_RESPONSE_BYTES);
  }

  /** A message as PROTOCOL.md wants it. */
  say(stream: number, message: Buffer, isEnd = true): void {
    for (const sealed of this.sealed(stream, message, isEnd)) this.end.send(sealed);
  }

  sealed(stream: number, message: Buffer, isEnd = true): Buffer[] {
    this.#channel.outbox.push(stream, Buffer.from(message));
    if (isEnd) this.#channel.outbox.end(stream);
    return this.#channel.flush();
  }

  /** Any bytes at all, sealed as a record. */
  sealRecord(plaintext: Uint8Array): Buffer {
    return this.#session.seal(plaintext);
  }

  async nextMessage(): Promise<{ kind: number; stream: number; body: Buffer }> {
    for (;;) {
      const received = this.#received.shift();
      if (received?.type === "message")
        return {
          kind: received.bytes[0]!,
          stream: received.stream,
          body: received.bytes.subarray(1),
        };
      if (!received) this.#received.push(...this.#channel.receive(await this.end.next()));
    }
  }

  async expectKind(kind: number, stream?: number): Promise<Buffer> {
    for (;;) {
      const message = await this.nextMessage();
      if (message.kind === kind && (stream ?? message.stream) === message.stream)
        return message.body;
      if (message.kind === TaskKind.delta) continue;
      throw new Unexpected(
        `message ${message.kind.toString(16)} instead of ${kind.toString(16)}: ` +
          message.body.toString("utf8"),
      );
    }
  }

  /** How the other end closed the connection. */
  get closed(): Promise<number> {
    return within(PATIENCE_MS, this.end.closed, "the end of the tunnel");
  }

  drop(): void {
    this.end.socket.terminate();
  }
}

export function openMessage(changes: object = {}): Buffer {
  return encodeJson(TaskKind.open, {
    mode: "conversation",
    steady: false,
    history: [],
    ...changes,
  });
}

/** An entry of a record, with no regard for what is allowed. */
export function rawEntry(type: number, stream: number, data: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(type, 0);
  head.writeUInt16BE(stream, 1);
  head.writeUInt16BE(data.length, 3);
  return Buffer.concat([head, data]);
}

/** An attachment named "file". */
export function attachMessage(content: Uint8Array | string): Buffer {
  const header = Buffer.from(JSON.stringify({ name: "file" }));
  const length = Buffer.alloc(2);
  length.writeUInt16BE(header.length);
  return Buffer.concat([Buffer.of(TaskKind.attach), length, header, Buffer.from(content)]);
}
