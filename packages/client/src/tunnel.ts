/**
 * One end-to-end encrypted connection from this device to a single-use process on its node.
 *
 *   connecting ──upgrade──> handshake ──message 3──> open ──either side──> closed
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import {
  CryptoError,
  documentHash,
  MAX_FORMER_KEYS,
  MAX_SEALED_BYTES,
  NO_MODEL,
  startInitiator,
  ticketDocument,
  type Certificate,
  type DeviceIdentity,
  type OfferMessage3,
  type Ticket,
} from "@phantoma/crypto";
import {
  decodeNote,
  HANDSHAKE_TIMEOUT_MS,
  MAX_QUEUE_WAIT_MS,
  MAX_RESPONSE_BYTES,
  ProtocolError,
  SecureChannel,
  tunnelPrologue,
  type Note,
  type Received,
} from "@phantoma/protocol";
import type { WebSocket } from "ws";
import { checkCertificate, type ExpectedProcess } from "./certificate-check.ts";
import { ClientError } from "./client-error.ts";
import { closeError, connectGateway, NodeSucceeded, StaleTicket } from "./gateway-connection.ts";
import type { NodeProfile } from "./node-profile.ts";

export interface TunnelOptions {
  readonly profile: NodeProfile;
  readonly device: DeviceIdentity;
  /**
   * The node shows a succession from the profile's key: judges it, remembers, and returns the profile to go on with.
   * Absent: it fails with `ERR_NODE_SUCCEEDED`.
   */
  readonly follow?: ((untrusted: Uint8Array, known: NodeProfile) => NodeProfile) | undefined;
  /** SHA-256 of the wanted model; absent for a control session. */
  readonly model?: Uint8Array;
  /** The gateway's hints: unauthenticated, for showing only. */
  readonly onNote?: (note: Note) => void;
  /** For a control session that is to find out which release runs: whoever opens it judges it. */
  readonly takesAnyRelease?: boolean;
  /** Gives up connecting, or closes what is open. */
  readonly signal?: AbortSignal;
}

export interface TunnelHandlers {
  received(event: Received): void;
  /** Called once, however the tunnel ended. */
  closed(error: ClientError): void;
}

export class Tunnel {
  /** SHA-256 of the ticket: the task's name in its receipt. */
  readonly task: Uint8Array;
  readonly certificate: Certificate;
  /** Under the key that the node has now. */
  readonly profile: NodeProfile;
  readonly #socket: WebSocket;
  readonly #channel: SecureChannel;
  #handlers: TunnelHandlers | undefined;
  #early: Received[] = [];
  #ended: ClientError | undefined;

  /** @throws {@link ClientError}; nothing is left open then */
  static open(options: TunnelOptions): Promise<Tunnel> {
    return Tunnel.#open(options, MAX_FORMER_KEYS);
  }

  /** @param left how many more keys are followed */
  static async #open(options: TunnelOptions, left: number): Promise<Tunnel> {
    try {
      return await handshake(options, Date.now());
    } catch (error) {
      if (error instanceof NodeSucceeded && options.follow)
        return Tunnel.#followed(options, error, options.follow, left);
      // The node's clock differs from ours: its time is good enough for a ticket, once.
      if (!(error instanceof StaleTicket)) throw error;
      return await handshake(options, error.nodeTime);
    }
  }

  /** Each key names the next, none twice, and no more than a node keeps: who has a stolen one could go on for ever. */
  static #followed(
    options: TunnelOptions,
    { document }: NodeSucceeded,
    follow: NonNullable<TunnelOptions["follow"]>,
    left: number,
  ): Promise<Tunnel> {
    if (left === 0)
      throw new ClientError("ERR_NODE_IDENTITY", "the node names one next key after the other");
    const before = options.profile;
    const profile = follow(document, before);
    if ([before.nodeKey, ...(before.formerKeys ?? [])].includes(profile.nodeKey))
      throw new ClientError("ERR_NODE_IDENTITY", "the node goes back to a key that it had before");
    return Tunnel.#open({ ...options, profile }, left - 1);
  }

  constructor(
    socket: WebSocket,
    channel: SecureChannel,
    task: Uint8Array,
    certificate: Certificate,
    profile: NodeProfile,
  ) {
    this.profile = profile;
    this.#socket = socket;
    this.#channel = channel;
    this.task = task;
    this.certificate = certificate;
  }

  /** How the tunnel ended; `undefined` while it is open. */
  get end(): ClientError | undefined {
    return this.#ended;
  }

  /** Everything that arrives goes to `handlers` from now on, in order. */
  handle(handlers: TunnelHandlers): void {
    this.#handlers = handlers;
    for (const event of this.#early.splice(0)) handlers.received(event);
    if (this.#ended) handlers.closed(this.#ended);
  }

  /** Sends whole messages, each with its stream, padded together; `true` ends the stream. */
  send(messages: readonly { stream: number; bytes: Buffer; isEnd: boolean }[]): void {
    if (this.#ended) return;
    for (const { stream, bytes, isEnd } of messages) {
      this.#channel.outbox.push(stream, bytes);
      if (isEnd) this.#channel.outbox.end(stream);
    }
    for (const sealed of this.#channel.flush()) this.#socket.send(sealed);
  }

  close(): void {
    this.#socket.close(1000);
    // A node that does not answer the close is not waited for.
    setTimeout(() => this.#socket.terminate(), 1_000).unref();
  }

  /** For the connection's handlers only. */
  receive(untrusted: Buffer): void {
    try {
      for (const event of this.#channel.receive(untrusted)) {
        if (this.#handlers) this.#handlers.received(event);
        else this.#early.push(event);
      }
    } catch (error) {
      if (!(error instanceof CryptoError || error instanceof ProtocolError)) throw error;
      this.ended(new ClientError("ERR_HANDSHAKE", "a record was not genuine"));
      this.#socket.terminate();
    }
  }

  /** For the connection's handlers only. */
  ended(error: ClientError): void {
    if (this.#ended) return;
    this.#ended = error;
    this.#channel.erase();
    this.#handlers?.closed(error);
  }
}

async function handshake(options: TunnelOptions, issuedAt: number): Promise<Tunnel> {
  const { profile, device, onNote, signal } = options;
  const node = Buffer.from(profile.nodeKey, "hex");
  const { ticket, fields } = signTicket(options, node, issuedAt);
  const task = documentHash(ticket);
  const socket = await connectGateway(profile, ticket, signal);
  const giveUp = () => socket.terminate();
  signal?.addEventListener("abort", giveUp, { once: true });
  if (signal?.aborted) giveUp();
  try {
    const { message1, next } = await startInitiator({
      localStatic: device.tunnel,
      prologue: tunnelPrologue(node, task),
    });
    socket.send(message1);
    const message2 = await firstBinary(socket, onNote);
    const { responderKey, certificate: untrusted, next: offer } = next.read(message2);
    const certificate = acceptOrRefuse(offer, untrusted, {
      node,
      ticket: task,
      device: device.tunnel.publicKey,
      responderKey,
      role: fields.service === "task" ? "worker" : "clerk",
      model: fields.model,
      starter: profile.starter,
      policy: profile.policy,
      release: Buffer.from(profile.release, "hex"),
      ...otherRelease(options),
    });
    const { message3, session } = offer.write();
    socket.send(message3);
    const channel = new SecureChannel(session, MAX_RESPONSE_BYTES);
    return attach(socket, new Tunnel(socket, channel, task, certificate, profile), options);
  } catch (error) {
    socket.terminate();
    if (!(error instanceof CryptoError)) throw error;
    throw new ClientError("ERR_HANDSHAKE", "the handshake was not genuine");
  } finally {
    signal?.removeEventListener("abort", giveUp);
  }
}

/** A task is never given to a release that was not taken. */
function otherRelease({
  profile: { approvedRelease },
  takesAnyRelease = false,
  model,
}: TunnelOptions): Pick<ExpectedProcess, "otherRelease"> {
  if (takesAnyRelease && model === undefined) return { otherRelease: "any" };
  return approvedRelease === undefined ? {} : { otherRelease: Buffer.from(approvedRelease, "hex") };
}

/** The device reveals itself only to the process it asked for. */
function acceptOrRefuse(
  offer: OfferMessage3,
  untrusted: Uint8Array,
  expected: ExpectedProcess,
): Certificate {
  try {
    return checkCertificate(untrusted, expected);
  } catch (error) {
    offer.refuse();
    throw error;
  }
}

function signTicket(
  { device, model }: TunnelOptions,
  node: Uint8Array,
  issuedAt: number,
): { ticket: Uint8Array; fields: Ticket } {
  const fields: Ticket = {
    node,
    device: device.signing.publicKey,
    service: model ? "task" : "control",
    model: model ?? NO_MODEL,
    nonce: randomBytes(16),
    issuedAt,
  };
  return { ticket: ticketDocument.sign(fields, device.signing.privateKey), fields };
}

/** RFC 6455, section 7.4.1: a connection that was lost has no code of its own. */
const ABNORMAL_CLOSE = 1006;

/** Message 2, which comes when a process was assigned; hints of the queue may come before. */
function firstBinary(socket: WebSocket, onNote: TunnelOptions["onNote"]): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new ClientError("ERR_TIMEOUT", "no worker answered in time"));
    let timer = setTimeout(late, HANDSHAKE_TIMEOUT_MS * 3);
    const message = (bytes: Buffer, isBinary: boolean) => {
      if (isBinary) {
        settle();
        if (bytes.length <= MAX_SEALED_BYTES) resolve(bytes);
        else reject(new ClientError("ERR_HANDSHAKE", "message 2 is too long"));
        return;
      }
      const note = decodeNote(bytes);
      if (!note) return;
      onNote?.(note);
      clearTimeout(timer);
      timer = setTimeout(
        late,
        note.note === "queued" ? MAX_QUEUE_WAIT_MS : HANDSHAKE_TIMEOUT_MS * 3,
      );
    };
    const close = (code: number) => {
      settle();
      reject(closeError(code));
    };
    const settle = () => {
      clearTimeout(timer);
      socket.off("message", message).off("close", close);
    };
    socket.on("message", message).on("close", close);
    // It may have closed before anybody listened.
    if (socket.readyState !== socket.OPEN) close(ABNORMAL_CLOSE);
  });
}

/** The gateway pings every 15 s; a node that is silent for three of them is gone, whatever TCP thinks. */
const SILENCE_LIMIT_MS = 45_000;

function attach(socket: WebSocket, tunnel: Tunnel, { onNote, signal }: TunnelOptions): Tunnel {
  const silence = setTimeout(() => {
    tunnel.ended(new ClientError("ERR_CONNECTION_LOST", "the node fell silent"));
    socket.terminate();
  }, SILENCE_LIMIT_MS);
  socket.on("ping", () => silence.refresh());
  socket.on("message", (bytes: Buffer, isBinary: boolean) => {
    silence.refresh();
    if (isBinary) return tunnel.receive(bytes);
    const note = decodeNote(bytes);
    if (note) onNote?.(note);
  });
  socket.on("close", (code) => {
    clearTimeout(silence);
    tunnel.ended(closeError(code));
  });
  signal?.addEventListener("abort", () => tunnel.close(), { once: true });
  return tunnel;
}
