/**
 * A gateway that was taken over: the node's own TLS key and address book, and a mind of its own.
 *
 *   device ══ pinned TLS, ticket ══> HostileGateway ══ (relay, tampering) ══> the real gateway
 *                                          └── or a worker of its own: `poseAsWorker`
 *
 * @module
 */
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { NodeProfile } from "@phantoma/client";
import { certificateDocument, documentHash, generateX25519 } from "@phantoma/crypto";
import { startResponder, type Certificate, type X25519KeyPair } from "@phantoma/crypto";
import { MAX_REQUEST_BYTES, SecureChannel, TICKET_HEADER } from "@phantoma/protocol";
import { tunnelPrologue } from "@phantoma/protocol";
import { WebSocketServer, type WebSocket } from "ws";
import type { KeyObject } from "node:crypto";
import { dial, WebSocketEnd } from "./raw-tunnel.ts";
import type { Stage } from "./stage.ts";

/** A device's connection, with the ticket that it brought. */
export interface DeviceEnd {
  readonly end: WebSocketEnd;
  readonly ticket: Buffer;
}

export class HostileGateway implements AsyncDisposable {
  readonly profile: NodeProfile;
  /** Every device that came, in order. */
  readonly devices: DeviceEnd[] = [];
  /** Requests that reached HTTP, so that a ticket may have been in one. */
  requests = 0;
  readonly #server: Server;

  static async open(
    stage: Stage,
    behave: (device: DeviceEnd) => unknown,
    tls: { key: string; cert: string } = stage.tls,
  ): Promise<HostileGateway> {
    const server = createServer({ ...tls, minVersion: "TLSv1.3" });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const profile = { ...stage.node.profile, url: `wss://127.0.0.1:${port}` };
    return new HostileGateway(server, profile, behave);
  }

  private constructor(
    server: Server,
    profile: NodeProfile,
    behave: (device: DeviceEnd) => unknown,
  ) {
    this.#server = server;
    this.profile = profile;
    const sockets = new WebSocketServer({ noServer: true });
    server.on("tlsClientError", () => undefined);
    server.on("upgrade", (request, socket, head) => {
      this.requests += 1;
      sockets.handleUpgrade(request, socket, head, (webSocket: WebSocket) => {
        const ticket = Buffer.from(String(request.headers[TICKET_HEADER]), "base64url");
        const device = { end: new WebSocketEnd(webSocket), ticket };
        this.devices.push(device);
        // What the device does when we misbehave is judged by who called; our own failure is not.
        void Promise.resolve(behave(device)).catch(() => undefined);
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { end } of this.devices) end.socket.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** What happens to message `index` (from 0) of one direction: what is returned goes on. */
export type Tamper = (message: Buffer, index: number) => readonly Buffer[];

const passOn: Tamper = (message) => [message];

/** Carries everything between a device and the real gateway, but for what is tampered with. */
export async function relay(
  stage: Stage,
  { end, ticket }: DeviceEnd,
  { up = passOn, down = passOn }: { up?: Tamper; down?: Tamper } = {},
): Promise<void> {
  const upstream = await dial(stage.node.profile, ticket);
  const pump = async (from: WebSocketEnd, to: WebSocketEnd, tamper: Tamper) => {
    for (let index = 0; ; index += 1)
      for (const message of tamper(await from.next(), index)) to.send(message);
  };
  const over = () => undefined;
  pump(end, upstream, up).catch(over);
  pump(upstream, end, down).catch(over);
  void upstream.closed.then((code) => hangUp(end, code));
  void end.closed.then(() => upstream.socket.terminate());
}

/** Closes with any code, also with those that cannot be sent. */
export function hangUp({ socket }: WebSocketEnd, code: number): void {
  if (code === 1005 || code === 1006) socket.terminate();
  else socket.close(code);
}

export interface Forgery {
  /** Fields that differ from the certificate that the keeper would have signed. */
  readonly certificate?: Partial<Certificate>;
  readonly signer?: KeyObject;
  readonly prologue?: Uint8Array;
  /** A whole certificate in place of all that. */
  readonly certificateBytes?: Uint8Array;
  readonly localStatic?: X25519KeyPair;
}

/**
 * Answers message 1 itself, as a worker would, with a certificate of the node's own key: the strongest
 * double there is, so that each forgery differs in one thing only.
 *
 * @returns the session, once the device has revealed itself with message 3
 */
export async function poseAsWorker(
  stage: Stage,
  { end, ticket }: DeviceEnd,
  forgery: Forgery = {},
): Promise<SecureChannel> {
  const message1 = await end.next();
  const { identity } = stage;
  const node = identity.signing.publicKey;
  const localStatic = forgery.localStatic ?? generateX25519();
  const prologue = forgery.prologue ?? tunnelPrologue(node, documentHash(ticket));
  const certificate: Certificate = {
    role: "worker",
    node,
    key: localStatic.publicKey,
    ticket: documentHash(ticket),
    device: stage.device.tunnel.publicKey,
    model: stage.model,
    release: new Uint8Array(32),
    starter: "gateway",
    policy: stage.node.profile.policy,
    issuedAt: Date.now(),
    expiresAt: Date.now() + 30_000,
    ...forgery.certificate,
  };
  const bytes =
    forgery.certificateBytes ??
    certificateDocument.sign(certificate, forgery.signer ?? identity.signing.privateKey);
  const responder = await startResponder({ localStatic, prologue });
  const { message2, next } = responder.read(message1).write(bytes);
  end.send(message2);
  const { session } = next.read(await end.next());
  return new SecureChannel(session, MAX_REQUEST_BYTES);
}
