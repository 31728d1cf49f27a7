/**
 * The conversations that workers of the node still have in their memory, each of one program.
 *
 *   lease ──fresh or one that goes on──> leased ──settle──> idle ──lease, end, 120 s──> …
 *                                          └──discard──> ended
 *
 * @module
 */
import type { Conversation } from "@phantoma/client";
import { MAX_SESSION_MS } from "@phantoma/protocol";
import { continuation, textContinuation, type Said } from "./continuation.ts";

/** What a lease is for. */
export interface Wanted {
  /** Whose it is: conversations are never found across scopes. */
  readonly scope: string;
  /** SHA-256, 32 bytes. */
  readonly model: Uint8Array;
  /** `none` where a text is continued; otherwise a chat. */
  readonly template?: "none";
  /** Neighbours differ in role; the last is the user's. */
  readonly messages: readonly Said[];
}

export interface Lease {
  readonly conversation: Conversation;
  /** How many messages of the conversation the turn builds on. */
  readonly keep: number;
  /** The conversation can go on: this was said in it. */
  settle(said: readonly Said[]): void;
  /** Nothing was said in it: it is as it was before, and one that is fresh ends. */
  giveBack(): void;
  /** It cannot go on; its worker ends. */
  discard(): void;
}

export type OpenConversation = (wanted: Wanted, onQueued: () => void) => Promise<Conversation>;

/** A turn that crosses the node's own end of a conversation would be lost; so none is begun this close to it. */
const END_MARGIN_MS = 10_000;

/** A node replaces a used worker in less; who still waits then waits for one that somebody gives back. */
const REPLACEMENT_MS = 1_500;

/** A session has 65,535 streams, and one request takes up to eight of them. */
const MAX_LEASES = 8_000;

interface Live {
  readonly conversation: Conversation;
  readonly scope: string;
  readonly model: string;
  readonly template: "none" | undefined;
  /** By `performance.now()`. */
  readonly openedAt: number;
  usedAt: number;
  leases: number;
  said: readonly Said[];
}

export class LiveConversations {
  readonly #maxIdle: number;
  /** The longest unused first. */
  readonly #idle: Live[] = [];
  readonly #all = new Set<Conversation>();

  /** @param maxIdle how many may wait for what comes next; each holds a worker of the node */
  constructor(maxIdle: number) {
    this.#maxIdle = maxIdle;
  }

  /** @throws what `open` throws */
  async lease(wanted: Wanted, open: OpenConversation): Promise<Lease> {
    const model = Buffer.from(wanted.model).toString("hex");
    const keep = wanted.messages.length - 1;
    const goesOn = wanted.template === "none" ? textContinuation : continuation;
    const found = this.#idle.findLastIndex(
      (live) =>
        live.scope === wanted.scope &&
        live.model === model &&
        live.template === wanted.template &&
        isGood(live) &&
        goesOn(live.said, wanted.messages) !== undefined,
    );
    if (found >= 0) return this.#leaseOf(this.#idle.splice(found, 1)[0]!, keep);
    const conversation = await this.#open(wanted, open);
    const openedAt = performance.now();
    const { scope, template } = wanted;
    const live: Live = {
      conversation,
      scope,
      model,
      template,
      openedAt,
      usedAt: openedAt,
      leases: 0,
      said: [],
    };
    void conversation.closed.then(() => this.#forget(live));
    return this.#leaseOf(live, keep);
  }

  /** A conversation that no other request goes on with. @throws what `open` throws */
  openAlone(model: Uint8Array, open: OpenConversation): Promise<Conversation> {
    return this.#open({ scope: "", model, messages: [] }, open);
  }

  /** Ends every conversation, also those that are answering. */
  async endAll(): Promise<void> {
    await Promise.all([...this.#all].map((conversation) => conversation.end()));
  }

  async #open(wanted: Wanted, open: OpenConversation): Promise<Conversation> {
    let wait: NodeJS.Timeout | undefined;
    try {
      const conversation = await open(wanted, () => {
        // Somebody waits: a worker that waits as well is of more use to the pool. One is enough.
        wait ??= setTimeout(() => this.#endOldest(), REPLACEMENT_MS);
      });
      this.#all.add(conversation);
      void conversation.closed.then(() => this.#all.delete(conversation));
      return conversation;
    } finally {
      clearTimeout(wait);
    }
  }

  #leaseOf(live: Live, keep: number): Lease {
    const { conversation } = live;
    live.leases++;
    const settle = (said: readonly Said[]) => {
      if (!this.#all.has(conversation)) return;
      live.said = said;
      live.usedAt = performance.now();
      this.#idle.push(live);
      if (this.#idle.length > this.#maxIdle) this.#endOldest();
    };
    const discard = () => void conversation.end();
    const giveBack = () => (live.said.length > 0 ? settle(live.said) : discard());
    return { conversation, keep, settle, giveBack, discard };
  }

  #endOldest(): void {
    void this.#idle.shift()?.conversation.end();
  }

  #forget(live: Live): void {
    const at = this.#idle.indexOf(live);
    if (at >= 0) this.#idle.splice(at, 1);
  }
}

function isGood({ conversation, usedAt, openedAt, leases }: Live): boolean {
  const now = performance.now();
  return (
    leases < MAX_LEASES &&
    now - usedAt < conversation.opened.idleTimeoutMs - END_MARGIN_MS &&
    now - openedAt < MAX_SESSION_MS - END_MARGIN_MS
  );
}
