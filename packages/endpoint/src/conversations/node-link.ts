/**
 * The node behind the endpoint: which models it has, and conversations with them.
 *
 * @module
 */
import {
  ClientError,
  ControlSession,
  Conversation,
  type ConversationOptions,
  type NodeProfile,
} from "@phantoma/client";
import type { DeviceIdentity } from "@phantoma/crypto";
import type { Model } from "@phantoma/protocol";
import type { OpenConversation } from "./live-conversations.ts";

export interface Peer {
  readonly profile: NodeProfile;
  readonly device: DeviceIdentity;
  /** Where it is absent, a node that changed its key is not followed. */
  readonly follow?: ConversationOptions["follow"];
}

/** A list costs a process of the node; an admin changes it by hand. */
const MAX_LIST_AGE_MS = 30_000;

export class NodeLink {
  readonly #peer: Peer;
  #list: Promise<readonly Model[]> | undefined;
  #listedAt = 0;

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  /** @throws {@link ClientError} */
  async models(): Promise<readonly Model[]> {
    if (this.#list && performance.now() - this.#listedAt < MAX_LIST_AGE_MS) return this.#list;
    this.#listedAt = performance.now();
    const list = (this.#list = listModels(this.#peer));
    // A failure is not remembered: the next request asks again.
    list.catch(() => this.forgetModels());
    return list;
  }

  forgetModels(): void {
    this.#list = undefined;
  }

  /** The model of this name or digest. @throws {@link ClientError} `ERR_MODEL_UNKNOWN` */
  async model(untrusted: string): Promise<Model> {
    const models = await this.models();
    const found =
      models.find(({ name }) => name === untrusted) ??
      models.find(({ digest }) => digest === untrusted);
    if (found) return found;
    throw new ClientError("ERR_MODEL_UNKNOWN", "it has no model of this name");
  }

  /** Opens what is wanted, until `signal` gives up. */
  opener(signal: AbortSignal): OpenConversation {
    return ({ model, template, messages }, onQueued) =>
      this.open(
        { model, ...(template && { template }), history: messages.slice(0, -1) },
        onQueued,
        signal,
      );
  }

  /**
   * @param onQueued the node has no worker to give at the moment
   * @param signal gives up while the conversation is being opened; later it has no meaning
   * @throws {@link ClientError}
   */
  async open(
    options: Pick<ConversationOptions, "model" | "template" | "history">,
    onQueued: () => void,
    signal: AbortSignal,
  ): Promise<Conversation> {
    const opening = new AbortController();
    const giveUp = () => opening.abort();
    signal.addEventListener("abort", giveUp, { once: true });
    if (signal.aborted) giveUp();
    try {
      return await Conversation.open({
        ...this.#peer,
        ...options,
        signal: opening.signal,
        onNote: ({ note }) => {
          if (note === "queued") onQueued();
        },
      });
    } catch (error) {
      if (error instanceof ClientError && error.code === "ERR_MODEL_UNKNOWN") this.forgetModels();
      throw error;
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }
}

async function listModels(peer: Peer): Promise<readonly Model[]> {
  const session = await ControlSession.open(peer);
  try {
    return await session.models();
  } finally {
    session.close();
  }
}
