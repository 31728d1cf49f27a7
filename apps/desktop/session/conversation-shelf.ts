/**
 * All conversations of this console; they are gone with it, unless they are saved.
 *
 * @module
 */
import type { ConversationSummary } from "../ipc/conversation.ts";
import { DesktopError } from "./desktop-error.ts";
import type { HeldConversation } from "./held-conversation.ts";

/** More than a person keeps open; each may hold a worker and much text. */
const MAX_CONVERSATIONS = 200;

export class ConversationShelf {
  readonly #held = new Map<string, HeldConversation>();

  /** @throws {@link DesktopError} `ERR_CONVERSATION_UNKNOWN` */
  get(id: string): HeldConversation {
    const held = this.#held.get(id);
    if (!held) throw new DesktopError("ERR_CONVERSATION_UNKNOWN", "there is no such conversation");
    return held;
  }

  has(id: string): boolean {
    return this.#held.has(id);
  }

  /** @throws {@link DesktopError} `ERR_TOO_MANY` */
  assertRoom(): void {
    if (this.#held.size >= MAX_CONVERSATIONS)
      throw new DesktopError("ERR_TOO_MANY", `at most ${MAX_CONVERSATIONS} conversations are kept`);
  }

  add(held: HeldConversation): void {
    this.#held.set(held.id, held);
  }

  ofNode(nodeId: string): HeldConversation[] {
    return [...this.#held.values()].filter((held) => held.nodeId === nodeId);
  }

  /** Newest first. */
  list(): ConversationSummary[] {
    const all = [...this.#held.values()].map((held) => held.summary());
    return all.toSorted((a, b) => b.updatedAt - a.updatedAt);
  }

  /** Ends its worker and forgets it. */
  async remove(id: string): Promise<void> {
    const held = this.get(id);
    this.#held.delete(id);
    await held.end();
  }

  async endAll(): Promise<void> {
    await Promise.all([...this.#held.values()].map((held) => held.end()));
  }
}
