/**
 * A gateway with a process behind it, on this machine and hostile on demand, for the tests of this
 * folder. Not part of the product.
 *
 * @module
 */
import { createServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import {
  certificateDocument,
  documentHash,
  generateDeviceIdentity,
  generateNodeIdentity,
  generateX25519,
  startResponder,
  ticketDocument,
  type Certificate,
  type Ticket,
} from "@phantoma/crypto";
import {
  encodeJson,
  MAX_REQUEST_BYTES,
  SecureChannel,
  TICKET_HEADER,
  TaskKind,
  tunnelPrologue,
  type Received,
} from "@phantoma/protocol";
import { onTestFinished } from "vitest";
import { WebSocketServer, type WebSocket } from "ws";
import type { NodeProfile } from "./node-profile.ts";

export const MODEL = new Uint8Array(32).fill(7);

export class TestGateway {
  readonly device = generateDeviceIdentity();
  readonly node = generateNodeIdentity();
  readonly tickets: Ticket[] = [];
  profile!: NodeProfile;
  /** What its process says in its certificate instead of the truth. */
  lie: Partial<Certificate> = {};
  signer = this.node;
  /** Takes over a connection before the handshake; `true` when it did. */
  takeOver: (socket: WebSocket) => boolean = () => false;
  /** Refuses an upgrade with this body. */
  refuse: (ticket: Ticket) => object | undefined = () => undefined;
  /** What the device said on its tunnel, and the way to answer. */
  onMessage: (event: Received, process: TestProcess) => void = () => undefined;
  /** Messages of devices, whatever they are. */
  messages = 0;

  static async start(tls: { keyPem: string; certificatePem: string }): Promise<TestGateway> {
    const gateway = new TestGateway();
    const server = createServer({ key: tls.keyPem, cert: tls.certificatePem });
    const sockets = new WebSocketServer({ noServer: true });
    server.on("upgrade", (request, socket: Socket, head) => {
      socket.on("error", () => undefined);
      const bytes = Buffer.from(String(request.headers[TICKET_HEADER]), "base64url");
      const ticket = ticketDocument.open(bytes, ({ device }) => device);
      gateway.tickets.push(ticket);
      const refusal = gateway.refuse(ticket);
      if (refusal) {
        const body = JSON.stringify(refusal);
        socket.end(`HTTP/1.1 401 No\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
        return;
      }
      sockets.handleUpgrade(request, socket, head, (webSocket) => {
        webSocket.on("error", () => undefined);
        if (!gateway.takeOver(webSocket)) void gateway.#serve(webSocket, bytes, ticket);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
      for (const socket of sockets.clients) socket.terminate();
    });
    gateway.profile = {
      name: "test",
      url: `wss://127.0.0.1:${(server.address() as AddressInfo).port}`,
      nodeKey: Buffer.from(gateway.node.signing.publicKey).toString("hex"),
      tlsCertificate: tls.certificatePem,
      starter: "gateway",
      policy: "none",
      release: "00".repeat(32),
    };
    return gateway;
  }

  async #serve(socket: WebSocket, ticketBytes: Buffer, ticket: Ticket): Promise<void> {
    const localStatic = generateX25519();
    const node = this.node.signing.publicKey;
    const hash = documentHash(ticketBytes);
    const messages: Buffer[] = [];
    let wake: (() => void) | undefined;
    socket.on("message", (bytes: Buffer) => {
      this.messages += 1;
      messages.push(bytes);
      wake?.();
    });
    const next = async () => {
      while (messages.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return messages.shift()!;
    };
    const certificate = certificateDocument.sign(
      {
        role: ticket.service === "task" ? "worker" : "clerk",
        node,
        key: localStatic.publicKey,
        ticket: hash,
        device: this.device.tunnel.publicKey,
        model: ticket.model,
        release: new Uint8Array(32),
        starter: "gateway",
        policy: "none",
        issuedAt: 0,
        expiresAt: 0,
        ...this.lie,
      },
      this.signer.signing.privateKey,
    );
    const responder = await startResponder({ localStatic, prologue: tunnelPrologue(node, hash) });
    const { message2, next: last } = responder.read(await next()).write(certificate);
    socket.send(message2);
    const channel = new SecureChannel(last.read(await next()).session, MAX_REQUEST_BYTES);
    const process = new TestProcess(socket, channel);
    for (;;) for (const event of channel.receive(await next())) this.onMessage(event, process);
  }
}

/** The process behind a tunnel, as a test speaks for it. */
export class TestProcess {
  readonly socket: WebSocket;
  readonly channel: SecureChannel;

  constructor(socket: WebSocket, channel: SecureChannel) {
    this.socket = socket;
    this.channel = channel;
  }

  say(stream: number, kind: number, body: unknown, isEnd = false): void {
    const message =
      kind === TaskKind.delta
        ? Buffer.concat([Buffer.of(kind), body as Buffer])
        : encodeJson(kind, body);
    this.channel.outbox.push(stream, message);
    if (isEnd) this.channel.outbox.end(stream);
    for (const sealed of this.channel.flush()) this.socket.send(sealed);
  }
}
