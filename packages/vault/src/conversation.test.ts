/** Merging: whoever merges what in whatever order arrives at the same, and nothing that was said is lost. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  encodeConversation,
  isSameConversation,
  MAX_CONVERSATION_BYTES,
  mergeConversations,
  parseConversation,
  type SavedConversation,
  type SavedMessage,
} from "./conversation.ts";

const name = (n: number) => n.toString(16).padStart(16, "0");

/** Trees of messages: each follows one with a lower number, or none. */
const conversations: fc.Arbitrary<SavedConversation> = fc
  .record({
    messages: fc.uniqueArray(
      fc.record({
        number: fc.nat(12),
        text: fc.string({ maxLength: 5 }),
        state: fc.constantFrom("complete", "stopped", "cut", "failed"),
        createdAt: fc.nat(20),
      }),
      { selector: ({ number }) => number },
    ),
    title: fc.string({ maxLength: 5 }),
    titledAt: fc.nat(5),
    createdAt: fc.nat(5),
  })
  .map(({ messages, title, titledAt, createdAt }) => ({
    id: name(1),
    title,
    titledAt,
    model: "echo",
    mode: "conversation",
    createdAt,
    // A parent is the same whoever has the message: half its number, and it is there.
    messages: closed(
      messages as { number: number; text: string; state: string; createdAt: number }[],
    ),
  }));

function closed(
  given: readonly { number: number; text: string; state: string; createdAt: number }[],
): SavedMessage[] {
  const all = new Map(given.map((message) => [message.number, message]));
  for (const { number } of given)
    for (let n = number; n > 0; n >>= 1)
      if (!all.has(n)) all.set(n, { number: n, text: "", state: "complete", createdAt: 0 });
  return [...all.values()].map(({ number, text, state, createdAt }) => ({
    id: name(number),
    parent: number <= 1 ? null : name(number >> 1),
    role: "user",
    text,
    state: state as SavedMessage["state"],
    createdAt,
  }));
}

describe("merging", () => {
  test("does not depend on the order, and merging again changes nothing", () => {
    fc.assert(
      fc.property(conversations, conversations, conversations, (a, b, c) => {
        const ab = mergeConversations(a, b);
        expect(isSameConversation(ab, mergeConversations(b, a))).toBe(true);
        expect(
          isSameConversation(
            mergeConversations(ab, c),
            mergeConversations(a, mergeConversations(b, c)),
          ),
        ).toBe(true);
        expect(isSameConversation(mergeConversations(ab, b), ab)).toBe(true);
      }),
    );
  });

  test("keeps every message of both, in a tree", () => {
    fc.assert(
      fc.property(conversations, conversations, (a, b) => {
        const merged = mergeConversations(a, b);
        const ids = new Set(merged.messages.map(({ id }) => id));
        for (const { id } of [...a.messages, ...b.messages]) expect(ids.has(id)).toBe(true);
        expect(parseConversation(merged)).toEqual(merged);
      }),
    );
  });

  test("of an answer that one saw end and the other did not, keeps the ended one", () => {
    const message = { id: name(2), parent: null, role: "assistant", createdAt: 1 } as const;
    const of = (state: SavedMessage["state"], text: string): SavedConversation => ({
      id: name(1),
      title: "",
      titledAt: 0,
      model: "echo",
      mode: "conversation",
      createdAt: 0,
      messages: [{ ...message, state, text }],
    });
    const merged = mergeConversations(of("complete", "yes"), of("cut", "yes and much more"));
    expect(merged.messages[0]!.text).toBe("yes");
  });
});

describe("what is no conversation is refused without being quoted", () => {
  const good = {
    id: name(1),
    title: "t",
    titledAt: 1,
    model: "echo",
    mode: "conversation",
    createdAt: 1,
    messages: [
      { id: name(2), parent: null, role: "user", text: "secret", state: "complete", createdAt: 1 },
    ],
  };
  const [message] = good.messages;
  test.each([
    ["null", null],
    ["a field too many", { ...good, extra: 1 }],
    ["an id that is none", { ...good, id: "../secret" }],
    ["a message twice", { ...good, messages: [message, message] }],
    ["a parent that is not there", { ...good, messages: [{ ...message, parent: name(9) }] }],
    [
      "two messages that follow each other",
      {
        ...good,
        messages: [
          { ...message, id: name(2), parent: name(3) },
          { ...message, id: name(3), parent: name(2) },
        ],
      },
    ],
    ["a role of nobody", { ...good, messages: [{ ...message, role: "root" }] }],
  ])("%s", (_, value) => {
    const refuse = () => parseConversation(value);
    expect(refuse).toThrow(expect.objectContaining({ code: "ERR_VAULT_FILE" }));
    expect(refuse).not.toThrow("secret");
  });

  test("the good one is taken", () => {
    expect(parseConversation(good)).toEqual(good);
  });
});

test("a conversation at its limit is encoded, one byte more is refused", () => {
  const of = (text: string): SavedConversation => ({
    id: name(1),
    title: "",
    titledAt: 0,
    model: "echo",
    mode: "conversation",
    createdAt: 0,
    messages: [{ id: name(2), parent: null, role: "user", text, state: "complete", createdAt: 0 }],
  });
  const room = MAX_CONVERSATION_BYTES - encodeConversation(of("")).length;
  expect(encodeConversation(of("x".repeat(room)))).toHaveLength(MAX_CONVERSATION_BYTES);
  expect(() => encodeConversation(of("x".repeat(room + 1)))).toThrow(
    expect.objectContaining({ code: "ERR_VAULT_TOO_LARGE" }),
  );
});
