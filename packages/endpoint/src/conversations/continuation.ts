/**
 * Whether a stateless request goes on with a conversation that a worker still has in its memory.
 *
 * Pure decision; docs/decisions/0021-requests-and-conversations.md says why it is this one.
 *
 * @module
 */

/** What was said, in the only form in which it is compared. */
export interface Said {
  readonly role: "system" | "user" | "assistant";
  readonly text: string;
}

/**
 * How many messages of the conversation the request builds on; `undefined` where it is another conversation.
 *
 * All of the request but its last message has to be what the conversation began with, and the two have to share a
 * message of the user's: programs often begin every conversation with the same system message, and that alone
 * makes no two of them one.
 *
 * @param said by both sides, in the worker's memory
 * @param request ends with a message of the user's
 */
export function continuation(said: readonly Said[], request: readonly Said[]): number | undefined {
  const before = request.length - 1;
  let shared = 0;
  while (shared < request.length && isSame(said[shared], request[shared]!)) shared++;
  const sharesUser = request.slice(0, shared).some(({ role }) => role === "user");
  return shared >= before && sharesUser ? before : undefined;
}

/**
 * The same for a text that a model continues without a template: it goes on where it begins with an earlier one.
 * Nothing of the conversation is kept then but what was computed.
 */
export function textContinuation(said: readonly Said[], request: readonly Said[]): 0 | undefined {
  const [earlier] = said;
  const [text] = request;
  return earlier && text?.text.startsWith(earlier.text) ? 0 : undefined;
}

/** Templates join neighbours of one role; a turn is one message. So they are one before they are compared. */
export function joinNeighbours(messages: readonly Said[]): Said[] {
  const joined: Said[] = [];
  for (const message of messages) {
    const last = joined.at(-1);
    if (last?.role === message.role)
      joined[joined.length - 1] = { role: last.role, text: `${last.text}\n\n${message.text}` };
    else joined.push(message);
  }
  return joined;
}

function isSame(one: Said | undefined, other: Said): boolean {
  return one?.role === other.role && one.text === other.text;
}
