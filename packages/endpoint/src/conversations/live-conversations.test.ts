/** Which conversation a request is given, with played conversations. */
import type { Conversation } from "@phantoma/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Said } from "./continuation.ts";
import { LiveConversations, type Wanted } from "./live-conversations.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const user = (text: string): Said => ({ role: "user", text });
const answer: Said = { role: "assistant", text: "answer" };
const wanted = (messages: readonly Said[], more: Partial<Wanted> = {}): Wanted => ({
  scope: "one",
  model: new Uint8Array(32),
  messages,
  ...more,
});

/** As much of a conversation as is used here. */
class PlayedConversation {
  readonly opened = { idleTimeoutMs: 120_000 };
  readonly #closed = Promise.withResolvers<void>();
  isEnded = false;

  get closed() {
    return this.#closed.promise;
  }

  end(): Promise<void> {
    this.isEnded = true;
    this.#closed.resolve();
    return this.closed;
  }
}

function begin(maxIdle = 2) {
  const live = new LiveConversations(maxIdle);
  const opened: PlayedConversation[] = [];
  /** How long the node lets the fourth and every further one wait, in ms. */
  const node = { replacementMs: 1_501 };
  const open = (_: Wanted, onQueued: () => void) => {
    if (opened.length >= 3) {
      // Whoever moves up in the queue is told again.
      onQueued();
      onQueued();
      vi.advanceTimersByTime(node.replacementMs);
    }
    const conversation = new PlayedConversation();
    opened.push(conversation);
    return Promise.resolve(conversation as unknown as Conversation);
  };
  /** Asks, answers, and says whether a worker was made for it. */
  const ask = async (asked: Wanted) => {
    const before = opened.length;
    const lease = await live.lease(asked, open);
    lease.settle([...asked.messages, answer]);
    return opened.length > before;
  };
  return { live, open, opened, ask, node };
}

const first = [user("one")];
const next = [user("one"), answer, user("two")];

test("a conversation goes on on its worker", async () => {
  const { ask } = begin();
  expect(await ask(wanted(first))).toBe(true);
  expect(await ask(wanted(next))).toBe(false);
});

test.each([
  ["another scope", { scope: "two" }],
  ["another model", { model: new Uint8Array(32).fill(1) }],
  ["no template", { template: "none" }],
] as const)("%s is given a fresh worker", async (_, more) => {
  const { ask } = begin();
  await ask(wanted(first));
  expect(await ask(wanted(next, more))).toBe(true);
});

test("two requests at once never have one worker", async () => {
  const { live, open, ask } = begin();
  await ask(wanted(first));
  const [one, other] = [await live.lease(wanted(next), open), await live.lease(wanted(next), open)];
  expect(one.conversation).not.toBe(other.conversation);
});

test("a conversation that failed, or ended by itself, is not found again", async () => {
  const { live, open, opened, ask } = begin();
  (await live.lease(wanted(first), open)).discard();
  expect(opened[0]!.isEnded).toBe(true);
  expect(await ask(wanted(first))).toBe(true);
  await opened[1]!.end();
  expect(await ask(wanted(next))).toBe(true);
});

test("one that is given back goes on as it was, and a fresh one ends", async () => {
  const { live, open, opened, ask } = begin();
  (await live.lease(wanted(first), open)).giveBack();
  expect(opened[0]!.isEnded).toBe(true);
  await ask(wanted(first));
  (await live.lease(wanted(next), open)).giveBack();
  expect(await ask(wanted(next))).toBe(false);
  expect(opened[1]!.isEnded).toBe(false);
});

test("the longest unused one ends where more wait than may", async () => {
  const { opened, ask } = begin(2);
  for (const text of ["a", "b", "c"]) await ask(wanted([user(text)]));
  expect(opened.map(({ isEnded }) => isEnded)).toEqual([true, false, false]);
});

test("none waits where none may", async () => {
  const { opened, ask } = begin(0);
  await ask(wanted(first));
  expect(opened[0]!.isEnded).toBe(true);
});

test("one that waits gives its worker to a request that would have to", async () => {
  const { opened, ask } = begin(10);
  for (const text of ["a", "b", "c", "d"]) await ask(wanted([user(text)]));
  expect(opened.map(({ isEnded }) => isEnded)).toEqual([true, false, false, false]);
});

test("none ends for a worker that is only being replaced", async () => {
  const { opened, ask, node } = begin(10);
  node.replacementMs = 1_499;
  for (const text of ["a", "b", "c", "d"]) await ask(wanted([user(text)]));
  vi.advanceTimersByTime(10_000);
  expect(opened.map(({ isEnded }) => isEnded)).toEqual([false, false, false, false]);
});

test.each([
  ["10 s before the node ends it for idleness", 109_999, 110_000],
  ["10 s before its session's hour is over", 3_589_999, 3_590_000],
])("no turn is begun %s", async (_, lastMs, overMs) => {
  for (const [ms, isFresh] of [
    [lastMs, false],
    [overMs, true],
  ] as const) {
    const { ask } = begin();
    await ask(wanted(first));
    // Kept in use, so that only the hour counts.
    const rounds = ms > 120_000 ? Math.floor(ms / 100_000) : 0;
    for (let round = 0; round < rounds; round++) {
      vi.advanceTimersByTime(100_000);
      expect(await ask(wanted(first))).toBe(false);
    }
    vi.advanceTimersByTime(ms - rounds * 100_000);
    expect(await ask(wanted(next))).toBe(isFresh);
  }
});

test("a conversation is used 8,000 times, and then another one", async () => {
  const { ask } = begin();
  expect(await ask(wanted(first))).toBe(true);
  for (let lease = 1; lease < 8_000; lease++) expect(await ask(wanted(first))).toBe(false);
  expect(await ask(wanted(first))).toBe(true);
});

test("at the end of the endpoint every one ends, also those that answer", async () => {
  const { live, open, opened, ask } = begin();
  await ask(wanted(first));
  await live.lease(wanted([user("other")]), open);
  await live.endAll();
  expect(opened.map(({ isEnded }) => isEnded)).toEqual([true, true]);
});
