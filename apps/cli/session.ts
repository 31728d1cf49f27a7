/**
 * Opens conversations and control sessions for commands, and says what is waited for.
 *
 * @module
 */
import {
  ClientError,
  ControlSession,
  Conversation,
  withRetry,
  type ConversationOptions,
  type NodeProfile,
  type TunnelOptions,
} from "@phantoma/client";
import type { DeviceIdentity } from "@phantoma/crypto";
import { notice } from "./output.ts";

/** About 20 seconds of trying, then the person decides. */
const ATTEMPTS = 6;

/** The dummies after a short answer: 40 records on a gateway's slowest tick take 40 s. */
const SHORTEST_TAIL_MS = 60_000;
/** The dummies after a longer one are a quarter of it; cut short, they would show its length. */
const LONGEST_TAIL = 0.5;

export interface Peer {
  readonly profile: NodeProfile;
  readonly device: DeviceIdentity;
  /** Where it is absent, a node that changed its key is not followed. */
  readonly follow?: TunnelOptions["follow"];
}

export function openConversation(
  peer: Peer,
  options: Omit<ConversationOptions, keyof Peer>,
): Promise<Conversation> {
  return patiently(() => Conversation.open({ ...peer, ...options, onNote: sayPosition }));
}

/**
 * After the answer of mode `turn`: waits until the worker has ended by itself, but not for ever.
 *
 * @param askedAt by `performance.now()`
 */
export async function untilOver(conversation: Conversation, askedAt: number): Promise<void> {
  const answerMs = performance.now() - askedAt;
  await conversation.closedWithin(SHORTEST_TAIL_MS + answerMs * LONGEST_TAIL);
}

/** Opens a control session, uses it and closes it. */
export async function withControl<T>(
  peer: Peer,
  use: (session: ControlSession) => Promise<T>,
  options: Pick<TunnelOptions, "takesAnyRelease"> = {},
): Promise<T> {
  const session = await patiently(() => ControlSession.open({ ...peer, ...options }));
  try {
    return await use(session);
  } finally {
    session.close();
  }
}

/** The digest of the named model, or of the only one. */
export async function chooseModel(peer: Peer, name: string | undefined): Promise<Buffer> {
  const models = await withControl(peer, (session) => session.models());
  const found =
    name === undefined && models.length === 1
      ? models[0]
      : models.find((model) => model.name === name || model.digest === name);
  if (found) return Buffer.from(found.digest, "hex");
  const known = models.map((model) => model.name).join(", ") || "none";
  throw new ClientError("ERR_MODEL_UNKNOWN", `name a model with --model (the node has: ${known})`);
}

function patiently<T>(connect: () => Promise<T>): Promise<T> {
  const onRetry = ({ code }: ClientError, delayMs: number) =>
    notice(`phantoma: ${code}, trying again in ${(delayMs / 1000).toFixed(1)} s`);
  return withRetry(connect, { attempts: ATTEMPTS, onRetry });
}

const sayPosition: NonNullable<TunnelOptions["onNote"]> = (note) => {
  if (note.note === "queued" && note.position > 1)
    notice(`phantoma: waiting for a worker (place ${note.position} in the queue)`);
};
