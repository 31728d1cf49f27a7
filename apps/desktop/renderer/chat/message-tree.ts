/**
 * A conversation's messages as the branch that is shown, with each fork on the way.
 *
 * @module
 */
import type { Message } from "../../ipc/contract.ts";

export interface Shown {
  readonly message: Message;
  /** All children of its parent, itself among them, in the order they were made. */
  readonly branches: readonly string[];
  /** Its place among them, from 0. */
  readonly branch: number;
}

/** From the first message to the head. Without a head, or with an unknown one, nothing is shown. */
export function shownBranch(messages: readonly Message[], head: string | null): readonly Shown[] {
  const byId = new Map(messages.map((message) => [message.id, message]));
  const byParent = Map.groupBy(messages, ({ parent }) => parent);
  const shown: Shown[] = [];
  for (let id = head; id !== null;) {
    const message = byId.get(id);
    if (!message) break;
    const branches = (byParent.get(message.parent) ?? []).map((sibling) => sibling.id);
    shown.push({ message, branches, branch: branches.indexOf(id) });
    byId.delete(id);
    id = message.parent;
  }
  return shown.toReversed();
}

/** The tree with one message replaced, or added where it is new; the rest keeps its identity. */
export function withMessage(messages: readonly Message[], message: Message): Message[] {
  const isKnown = messages.some(({ id }) => id === message.id);
  return isKnown
    ? messages.map((old) => (old.id === message.id ? message : old))
    : [...messages, message];
}

/** The newest end below a message, which the head moves to when that branch is chosen. */
export function newestEnd(messages: readonly Message[], from: string): string {
  const byParent = Map.groupBy(messages, ({ parent }) => parent);
  const seen = new Set<string>();
  let id = from;
  for (;;) {
    const child = byParent.get(id)?.at(-1);
    if (!child || seen.has(child.id)) return id;
    seen.add(child.id);
    id = child.id;
  }
}
