/**
 * A single-use process's end of a tunnel: warm, certified once, one handshake, one session.
 *
 *   warming ──ready──> assigned ──certificate──> handshake ──message 3──> open ──> gone
 *
 * Any surprise ends the process; the peer learns one close code and never why.
 *
 * @module
 */
import {
  certificateDocument,
  CryptoError,
  documentHash,
  generateX25519,
  sameBytes,
  startResponder,
  type Certificate,
} from "@phantoma/crypto";
import {
  CloseCode,
  HANDSHAKE_TIMEOUT_MS,
  MAX_REQUEST_BYTES,
  ProtocolError,
  SecureChannel,
  tunnelPrologue,
} from "@phantoma/protocol";
import { ExitStatus, exitStatusFor } from "../ipc/exit-status.ts";
import { FrameLink, type Frame } from "../ipc/frames.ts";
import { inheritedLinks } from "../ipc/inherited.ts";
import { KeeperClient, KeeperRefused } from "../ipc/keeper-client.ts";
import type { CellRole } from "../ipc/keeper-link.ts";
import {
  decodeWarm,
  encodeNumber,
  FromProcess,
  MAX_PROCESS_FRAME_BYTES,
  ToProcess,
  type WarmOrder,
} from "../ipc/process-link.ts";
import { FrameQueue, LateFrame } from "./frame-queue.ts";

/** The finished tunnel, as the role behind it uses it. */
export interface OpenTunnel {
  readonly link: FrameLink;
  readonly keeper: KeeperClient;
  readonly channel: SecureChannel;
  /** Ends the process in order, with a close code for the device. */
  leave(code: number): Promise<never>;
}

export interface Role {
  readonly role: CellRole;
  /** Hears the one-time key before the keeper does. */
  readonly tellKey?: ((key: Uint8Array) => void) | undefined;
  /** Prepares for any ticket; gives the number of threads it will use. */
  warm(order: WarmOrder): Promise<number>;
  /** Takes over; gives the handler for every later frame of the gateway. */
  open(tunnel: OpenTunnel): (frame: Frame) => void;
  /** Lets go of everything before the process ends. Overwriting its memory is the cell's work. */
  release(): Promise<void>;
}

/** Letting go takes milliseconds; a process that cannot is ended by force. */
const LEAVE_TIMEOUT_MS = 2_000;

/** Runs the role's whole life; never returns. */
export async function runTunnelEnd(role: Role): Promise<void> {
  const sockets = inheritedLinks();
  const frames = new FrameQueue();
  const link = new FrameLink(sockets.gateway, MAX_PROCESS_FRAME_BYTES, (frame) =>
    frames.push(frame),
  );
  const keeper = new KeeperClient(sockets.keeper);
  const held: Held = { channel: undefined };
  const leave = onceLeaving(role, link, held);
  // The gateway's hanging up is the end of the task; the keeper's is a revocation, or its own end.
  void link.closed.then(() => leave(undefined));
  void keeper.closed.then(() => leave(keeper.wasRevoked ? CloseCode.revoked : CloseCode.died));
  process.on("uncaughtException", () => void leave(CloseCode.died));
  process.on("unhandledRejection", () => void leave(CloseCode.died));
  try {
    const order = decodeWarm(await frames.take(ToProcess.warm));
    const threads = await role.warm(order).catch(() => leave(CloseCode.model));
    link.send(FromProcess.ready, encodeNumber(threads));
    const ticket = await frames.take(ToProcess.assign);
    const channel = await establish(role, order, ticket, { frames, link, keeper });
    held.channel = channel;
    const handler = role.open({ link, keeper, channel, leave });
    frames.handle((frame) => {
      try {
        handler(frame);
      } catch (error) {
        void leave(closeCodeFor(error));
      }
    });
  } catch (error) {
    await leave(closeCodeFor(error));
  }
}

interface Ends {
  readonly frames: FrameQueue;
  readonly link: FrameLink;
  readonly keeper: KeeperClient;
}

async function establish(
  { role, tellKey }: Role,
  order: WarmOrder,
  ticket: Buffer,
  { frames, link, keeper }: Ends,
): Promise<SecureChannel> {
  const localStatic = generateX25519();
  tellKey?.(localStatic.publicKey);
  const request = Buffer.concat([localStatic.publicKey, ticket]);
  const certificateBytes = await keeper.ask("certify", request);
  const certificate = certificateDocument.open(certificateBytes, ({ node }) => node);
  assertCertified(certificate, role, order);
  const prologue = tunnelPrologue(certificate.node, documentHash(ticket));
  const responder = await startResponder({ localStatic, prologue });
  const message1 = await frames.take(ToProcess.data, HANDSHAKE_TIMEOUT_MS);
  const { message2, next } = responder.read(message1).write(certificateBytes);
  link.send(FromProcess.data, message2);
  const message3 = await frames.take(ToProcess.data, HANDSHAKE_TIMEOUT_MS);
  const { deviceKey, session } = next.read(message3);
  if (!sameBytes(deviceKey, certificate.device))
    throw new CryptoError("ERR_NOT_AUTHORISED", "not the device that was certified");
  return new SecureChannel(session, MAX_REQUEST_BYTES);
}

/** A ticket for another model, or another kind of process, is refused whoever certified it. */
function assertCertified(certificate: Certificate, role: CellRole, order: WarmOrder): void {
  if (certificate.role !== role || !sameBytes(certificate.model, order.model))
    throw new CryptoError("ERR_NOT_AUTHORISED", "certified for something else");
}

/** What must be erased however the process comes to its end. */
interface Held {
  channel: SecureChannel | undefined;
}

/** @returns ends the process, with the code for the device, or without when its line is cut already */
function onceLeaving(
  role: Role,
  link: FrameLink,
  held: Held,
): (code: number | undefined) => Promise<never> {
  let leaving: Promise<never> | undefined;
  return (code) => (leaving ??= leaveNow(role, link, held, code));
}

/** Everything sealed is on its way by now, so keys and model go first, whatever the device reads. */
async function leaveNow(
  role: Role,
  link: FrameLink,
  held: Held,
  code: number | undefined,
): Promise<never> {
  setTimeout(() => process.exit(ExitStatus.failed), LEAVE_TIMEOUT_MS).unref();
  if (code !== undefined) link.send(FromProcess.bye, encodeNumber(code));
  held.channel?.erase();
  await role.release().catch(() => undefined);
  await link.finish();
  process.exit(exitStatusFor(code));
}

/** One close code for everything cryptographic; a broken limit is the client's own to know. */
function closeCodeFor(error: unknown): number {
  // Used meanwhile, or older than a restarted keeper: a new ticket and a new process will do.
  if (error instanceof KeeperRefused) return CloseCode.died;
  if (error instanceof ProtocolError) return CloseCode.limit;
  if (error instanceof LateFrame) return CloseCode.timeout;
  // A frame that is not due is the gateway's mistake, not the device's.
  if (error instanceof RangeError) return CloseCode.died;
  return CloseCode.crypto;
}
