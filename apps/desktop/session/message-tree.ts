/**
 * A conversation's messages as a tree, and what a worker must know of one branch.
 *
 * @module
 */
import type { Message } from "../ipc/conversation.ts";

export interface Said {
  readonly role: "user" | "assistant";
  readonly text: string;
}

export class MessageTree {
  /** In the order they were made, so a parent stands before its children. */
  readonly #messages = new Map<string, Message>();

  get size(): number {
    return this.#messages.size;
  }

  all(): Message[] {
    return [...this.#messages.values()];
  }

  get(id: string): Message | undefined {
    return this.#messages.get(id);
  }

  /** Adds a message, or puts its newer form in its place. */
  put(message: Message): void {
    this.#messages.set(message.id, message);
  }

  /** The branch that ends at `id`, first message first. */
  branch(id: string | null): Message[] {
    const found: Message[] = [];
    for (let at = id; at !== null;) {
      const message = this.#messages.get(at)!;
      found.push(message);
      at = message.parent;
    }
    return found.toReversed();
  }

  /** The newest end of the branches that go through `id`. */
  newestEnd(id: string): string {
    let end = id;
    const below = new Set([id]);
    for (const message of this.#messages.values())
      if (message.parent !== null && below.has(message.parent)) {
        below.add(message.id);
        end = message.id;
      }
    return end;
  }
}

/**
 * A branch as a worker is told it: what was never answered is joined to the question after it, so
 * that the two sides always take turns.
 */
export function saidIn(branch: readonly Pick<Message, "role" | "text">[]): Said[] {
  const said: Said[] = [];
  for (const { role, text } of branch) {
    if (role === "assistant" && text === "") continue;
    const last = said.at(-1);
    if (last?.role === role) said[said.length - 1] = { role, text: `${last.text}\n\n${text}` };
    else said.push({ role, text });
  }
  return said;
}

/** Whether a worker that heard `known` has heard all of `wanted`, in order. */
export function isBeginningOf(wanted: readonly Said[], known: readonly Said[]): boolean {
  return (
    wanted.length <= known.length &&
    wanted.every(({ role, text }, i) => known[i]!.role === role && known[i]!.text === text)
  );
}
