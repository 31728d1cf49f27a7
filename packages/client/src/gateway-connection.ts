/**
 * The outer connection: pinned TLS 1.3, the ticket in its header, a refusal read with care.
 *
 * @module
 */
import { X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { PeerCertificate } from "node:tls";
import { MAX_SEALED_BYTES } from "@phantoma/crypto";
import {
  CloseCode,
  decodeJson,
  HANDSHAKE_TIMEOUT_MS,
  MAX_REFUSAL_BYTES,
  refusalSchema,
  TICKET_HEADER,
  TUNNEL_PATH,
} from "@phantoma/protocol";
import { WebSocket } from "ws";
import { ClientError, type ClientErrorCode } from "./client-error.ts";
import type { NodeProfile } from "./node-profile.ts";

/** The node says that our clock is off; its own time comes along. */
export class StaleTicket extends ClientError {
  readonly nodeTime: number;

  constructor(nodeTime: number) {
    super("ERR_TICKET_STALE", "the clocks of this machine and the node differ");
    this.nodeTime = nodeTime;
  }
}

/** The node has another key now, as the one in the profile says of itself. */
export class NodeSucceeded extends ClientError {
  /** Not verified yet. */
  readonly document: Uint8Array;

  constructor(untrusted: Uint8Array) {
    super("ERR_NODE_SUCCEEDED", "the node has another key now");
    this.document = untrusted;
  }
}

/** @throws {@link ClientError} */
export function connectGateway(
  profile: NodeProfile,
  ticket: Uint8Array,
  signal?: AbortSignal,
): Promise<WebSocket> {
  const pinned = pinOf(profile);
  const socket = new WebSocket(new URL(TUNNEL_PATH, profile.url), {
    headers: { [TICKET_HEADER]: Buffer.from(ticket).toString("base64url") },
    perMessageDeflate: false,
    maxPayload: MAX_SEALED_BYTES,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    followRedirects: false,
    minVersion: "TLSv1.3",
    // Said although it is the default: an environment variable can turn that off.
    rejectUnauthorized: true,
    // The pinned certificate is the only authority, and must be the very one that is shown.
    ca: profile.tlsCertificate,
    checkServerIdentity: ((_host: string, { fingerprint256 }: PeerCertificate) =>
      fingerprint256 === pinned
        ? undefined
        : new Error("not the pinned certificate")) as unknown as () => boolean,
  });
  return new Promise((resolve, reject) => {
    const give = (error: ClientError) => {
      reject(error);
      socket.terminate();
    };
    const abort = () => give(new ClientError("ERR_CONNECTION_LOST", "connecting was given up"));
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted) abort();
    // Later errors show as a close, with its code.
    socket.on("error", (error: NodeJS.ErrnoException) => reject(connectError(error)));
    socket.once("unexpected-response", (_request, response) => void refused(response).then(give));
    socket.once("open", () => {
      signal?.removeEventListener("abort", abort);
      resolve(socket);
    });
  });
}

function pinOf({ tlsCertificate }: NodeProfile): string {
  try {
    return new X509Certificate(tlsCertificate).fingerprint256;
  } catch {
    throw new ClientError("ERR_PROFILE", "the stored certificate of the node cannot be read");
  }
}

/** What a close code, which is only a hint, means for a person. */
export function closeError(code: number): ClientError {
  const [errorCode, message] = closeMeanings.get(code) ?? [
    "ERR_CONNECTION_LOST" as const,
    "the connection was lost",
  ];
  return new ClientError(errorCode, message);
}

const closeMeanings = new Map<number, readonly [ClientErrorCode, string]>([
  [CloseCode.done, ["ERR_CONVERSATION_ENDED", "the conversation has ended"]],
  [CloseCode.goingAway, ["ERR_CONNECTION_LOST", "the node is stopping or restarting"]],
  [CloseCode.crypto, ["ERR_HANDSHAKE", "the tunnel was not genuine"]],
  [CloseCode.limit, ["ERR_LIMIT", "the node refused what was sent"]],
  [CloseCode.timeout, ["ERR_CONVERSATION_ENDED", "the conversation was idle or open too long"]],
  [CloseCode.died, ["ERR_CONNECTION_LOST", "the process behind the conversation ended"]],
  [CloseCode.busy, ["ERR_BUSY", "no worker became free in time"]],
  [CloseCode.revoked, ["ERR_DEVICE_REVOKED", "this device was revoked"]],
  [CloseCode.model, ["ERR_MODEL_FAILED", "the node cannot run this model"]],
]);

/** Codes of node:tls for a certificate that is not the pinned one. */
const pinFailures = /^(ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/;

function connectError(error: NodeJS.ErrnoException): ClientError {
  const isPin = pinFailures.test(error.code ?? "") || error.message.includes("pinned");
  return isPin
    ? new ClientError("ERR_PIN_MISMATCH", "this is not the node that was paired")
    : new ClientError("ERR_UNREACHABLE", `the node does not answer (${error.code ?? "no code"})`);
}

async function refused(response: IncomingMessage): Promise<ClientError> {
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const part of response as AsyncIterable<Buffer>) {
      length += part.length;
      if (length > MAX_REFUSAL_BYTES) throw new RangeError("a refusal over its limit");
      parts.push(part);
    }
    const { code, nodeTime, succession } = decodeJson(refusalSchema, Buffer.concat(parts));
    if (succession !== undefined) return new NodeSucceeded(Buffer.from(succession, "base64"));
    if (code === "ERR_TICKET_STALE") return new StaleTicket(nodeTime);
    return new ClientError(code, `the node refused the connection: ${code}`);
  } catch {
    return new ClientError("ERR_UNREACHABLE", `no node answers there (${response.statusCode})`);
  }
}
