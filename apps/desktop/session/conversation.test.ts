import { ClientError } from "@phantoma/client";
import fc from "fast-check";
import { expect, test } from "vitest";
import { pairedConsole } from "./console-under-test.ts";
import { IDLE_TIMEOUT_MS } from "./fake-node.ts";
import { MessageTree, saidIn } from "./message-tree.ts";

const lost = () => new ClientError("ERR_CONNECTION_LOST", "lost");

test("an answer is started, streamed, measured and ended, and its branch is the head", async () => {
  const { answer, get } = await pairedConsole();
  const events = await answer({ parent: null, text: "hello" });
  const types = events.map(({ type }) => type);
  expect(types).toEqual(["started", "delta", "delta", "finish", "end"]);
  const { messages, head, title, draft } = await get();
  expect(messages.map(({ role, text, state }) => [role, text, state])).toEqual([
    ["user", "hello", "complete"],
    ["assistant", "you said: hello", "complete"],
  ]);
  expect(messages[1]!.metrics).toMatchObject({ tokens: 15, tokensPerSecond: 1400 });
  expect([head, title, draft]).toEqual([messages[1]!.id, "hello", ""]);
});

test("a follow-up asks the same worker, which is not told again what it knows", async () => {
  const { answer, get, node } = await pairedConsole();
  await answer({ parent: null, text: "one" });
  await answer({ parent: (await get()).head, text: "two" });
  expect(node.workers).toHaveLength(1);
  expect(node.last.memory).toEqual(saidIn((await get()).messages));
});

test("an edit begins a branch with the same worker, which forgets the other", async () => {
  const { answer, get, node, session, id } = await pairedConsole();
  await answer({ parent: null, text: "one" });
  const first = (await get()).head;
  await answer({ parent: first, text: "two" });
  await answer({ parent: first, text: "two, otherwise" });
  expect(node.workers).toHaveLength(1);
  expect(node.last.memory.map(({ text }) => text)).not.toContain("two");
  const { messages } = await get();
  const two = messages.find(({ text }) => text === "two")!;
  const shown = { conversation: id, message: two.id };
  const { head } = await session.requests["conversations.setHead"](shown);
  expect(messages.find((message) => message.id === head)!.text).toBe("you said: two");
});

test("a branch that the worker never heard is told to a new one", async () => {
  const { answer, get, node } = await pairedConsole();
  await answer({ parent: null, text: "one" });
  const first = (await get()).head;
  await answer({ parent: null, text: "another beginning" });
  await answer({ parent: first, text: "two" });
  expect(node.workers.map(({ isClosed }) => isClosed)).toEqual([true, false]);
  expect(node.last.memory.map(({ text }) => text)).toEqual([
    "one",
    "you said: one",
    "two",
    "you said: two",
  ]);
});

test("whatever is asked, edited, stopped and lost, a worker knows its branch and nothing else", async () => {
  const step = fc.record({
    kind: fc.constantFrom("ask", "ask", "regenerate", "stop", "lose", "cut"),
    at: fc.nat(20),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const { answer, get, node } = await pairedConsole();
      for (const { kind, at } of steps) {
        const answers = (await get()).messages.filter(({ role }) => role === "assistant");
        const named = answers[at % (answers.length || 1)]?.id ?? null;
        if (kind === "lose") node.workers.at(-1)?.close(lost());
        node.answering = async function* (_worker, question) {
          yield `re: ${question}`;
          if (kind === "cut") throw lost();
          yield ".";
        };
        const input =
          kind === "regenerate" && named
            ? { regenerate: named }
            : { parent: named, text: `${kind} ${at}` };
        await answer(input, ({ type }, stop) => {
          if (kind === "stop" && type === "delta") stop();
        });
        if (kind === "cut") node.last.close(lost());
        const { messages, head } = await get();
        const tree = new MessageTree();
        for (const message of messages) tree.put(message);
        const state = tree.get(head!)!.state;
        if (state === "complete" || state === "stopped")
          expect(node.last.memory).toEqual(saidIn(tree.branch(head)));
      }
    }),
    { numRuns: 150 },
  );
});

test("stop ends the answer, keeps what the worker said, and the next question may follow", async () => {
  const { answer, get, node } = await pairedConsole();
  node.answering = async function* (worker) {
    yield "a long ";
    await worker.stopped();
    yield "answer";
  };
  const events = await answer({ parent: null, text: "talk" }, ({ type }, stop) => {
    if (type === "delta") stop();
  });
  expect(events.at(-1)).toMatchObject({ type: "end", answer: { state: "stopped" } });
  const { head, messages } = await get();
  expect(messages.at(-1)!.text).toBe("a long answer");
  await answer({ parent: head, text: "go on" }, ({ type }, stop) => {
    if (type === "delta") stop();
  });
  expect(node.workers).toHaveLength(1);
});

test("stop in the queue leaves the queue", async () => {
  const { answer, get, node } = await pairedConsole();
  node.queue = { position: 3, assigned: new Promise(() => undefined) };
  const events = await answer({ parent: null, text: "hello" }, ({ type }, stop) => {
    if (type === "queued") stop();
  });
  expect(events.map(({ type }) => type)).toEqual(["started", "queued", "end"]);
  expect((await get()).worker).toMatchObject({ state: "none", queuePosition: null });
});

test("an answer that the connection cut is shown as cut, and a new worker is told its text", async () => {
  const { answer, get, node } = await pairedConsole();
  node.answering = async function* () {
    yield "half an ";
    throw lost();
  };
  const events = await answer({ parent: null, text: "hello" });
  expect(events.at(-1)).toMatchObject({
    type: "error",
    error: { code: "ERR_CONNECTION_LOST" },
    answer: { state: "cut", text: "half an " },
  });
  node.last.close(lost());
  node.answering = async function* () {
    yield "well";
  };
  await answer({ parent: (await get()).head, text: "go on" });
  expect(node.last.memory.map(({ text }) => text)).toEqual(["hello", "half an ", "go on", "well"]);
});

test("a worker that was lost before its first word is replaced without a question", async () => {
  const { answer, get, node } = await pairedConsole();
  await answer({ parent: null, text: "one" });
  // oxlint-disable-next-line require-yield -- the worker is gone before its first word
  node.last.turn = async function* () {
    throw lost();
  };
  const events = await answer({ parent: (await get()).head, text: "two" });
  expect(events.at(-1)!.type).toBe("end");
  expect(node.workers).toHaveLength(2);
  expect(node.last.memory).toHaveLength(4);
});

test("a node that is away is asked again, and each attempt is told", async () => {
  const { answer, node, events } = await pairedConsole();
  node.failures.push(new ClientError("ERR_UNREACHABLE", "away"));
  const seen = await answer({ parent: null, text: "hello" });
  expect(seen.map(({ type }) => type)).toContain("retrying");
  expect(seen.at(-1)!.type).toBe("end");
  const states = events.flatMap((event) =>
    event.event === "node.changed" ? event.node.state : [],
  );
  expect(states).toContain("offline");
  expect(states.at(-1)).toBe("online");
});

test("a refusal is an answer that failed, and the question can be answered again", async () => {
  const { answer, get, node } = await pairedConsole();
  // oxlint-disable-next-line require-yield -- the worker refuses before its first word
  node.answering = async function* () {
    throw new ClientError("ERR_PROMPT_TOO_LONG", "too long");
  };
  await answer({ parent: null, text: "hello" });
  const failed = (await get()).messages.at(-1)!;
  expect(failed).toMatchObject({ state: "failed", errorCode: "ERR_PROMPT_TOO_LONG", text: "" });
  await expect(answer({ regenerate: failed.id })).resolves.toMatchObject([
    { type: "started", question: null },
    { type: "error" },
  ]);
});

test("a second answer is refused while one is under way", async () => {
  const { answer, node } = await pairedConsole();
  node.answering = async function* (worker) {
    yield "…";
    await worker.stopped();
  };
  let second: Promise<unknown> | undefined;
  await answer({ parent: null, text: "one" }, ({ type }, stop) => {
    if (type !== "delta") return;
    second = answer({ parent: null, text: "two" });
    second.catch(() => stop());
  });
  await expect(second).rejects.toMatchObject({ code: "ERR_ANSWERING" });
});

test("a worker's idle deadline is counted between answers only", async () => {
  const { answer, get, events, node } = await pairedConsole();
  const before = Date.now();
  await answer({ parent: null, text: "hello" });
  const deadlines = events.flatMap((event) =>
    event.event === "conversation.worker" ? [event.worker.idleDeadline] : [],
  );
  expect(deadlines).toContain(null);
  expect((await get()).worker.idleDeadline).toBeGreaterThanOrEqual(before + IDLE_TIMEOUT_MS);
  node.last.close("idle");
  await node.last.closed;
  expect((await get()).worker).toMatchObject({ state: "ended", endReason: "idle" });
});

test("in turn mode each answer has a worker of its own, told all that was said", async () => {
  const { answer, get, node } = await pairedConsole("turn");
  await answer({ parent: null, text: "one" });
  await answer({ parent: (await get()).head, text: "two" });
  expect(node.workers).toHaveLength(2);
  expect(node.last.memory).toHaveLength(4);
  expect((await get()).worker.endReason).toBe("turn-done");
});
