/** A conversation as a device sees it, with a process that a test speaks for. */
import { CloseCode, TaskKind, type Received } from "@phantoma/protocol";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { makeTlsIdentity } from "../../../apps/node/setup/tls-identity.ts";
import type { ClientErrorCode } from "./client-error.ts";
import { Conversation, type ConversationOptions } from "./conversation.ts";
import { MODEL, TestGateway, type TestProcess } from "./test-gateway.ts";

const failing = (code: ClientErrorCode) => expect.objectContaining({ name: "ClientError", code });
const opened = { model: "m", contextTokens: 1, threads: 1, idleTimeoutMs: 1 };
const usage = { promptTokens: 1, reusedTokens: 0, completionTokens: 1 };
const timings = { promptMs: 1, firstTokenMs: 1, totalMs: 1 };
const finish = { reason: "stop", usage, timings };

let gateway: TestGateway;
/** What the device asked, as kinds; `stop` and `end` among them. */
let asked: string[];
let onRequest: (kind: number, stream: number, process: TestProcess) => void;

beforeEach(async () => {
  gateway = await TestGateway.start(await makeTlsIdentity());
  asked = [];
  onRequest = () => undefined;
  gateway.onMessage = (event: Received, process) => {
    if (event.type === "end") return;
    const kind = event.bytes[0]!;
    asked.push(Object.entries(TaskKind).find(([, number]) => number === kind)![0]);
    if (kind === TaskKind.open) process.say(0, TaskKind.opened, opened);
    else onRequest(kind, event.stream, process);
  };
});

async function open(options: Partial<ConversationOptions> = {}): Promise<Conversation> {
  const { profile, device } = gateway;
  const conversation = await Conversation.open({ profile, device, model: MODEL, ...options });
  onTestFinished(() => conversation.drop());
  return conversation;
}

function answers(stream: number, process: TestProcess, ...parts: Buffer[]): void {
  for (const part of parts) process.say(stream, TaskKind.delta, part);
  process.say(stream, TaskKind.finish, finish, true);
}

test("an answer comes in pieces, with characters whole, and ends with the node's word", async () => {
  const text = Buffer.from("a✓b");
  onRequest = (_kind, stream, process) =>
    answers(stream, process, text.subarray(0, 2), text.subarray(2));
  const conversation = await open();
  expect(conversation.opened).toEqual(opened);
  const events = [];
  for await (const event of conversation.turn({ text: "Hi" })) events.push(event);
  expect(events.map(({ type }) => type)).toEqual(["delta", "delta", "finish", "end"]);
  expect(events.map((event) => (event.type === "delta" ? event.text : "")).join("")).toBe("a✓b");
  expect(asked).toEqual(["open", "turn"]);
});

test("ask gives the whole text", async () => {
  onRequest = (_kind, stream, process) => answers(stream, process, Buffer.from("Hello"));
  expect(await (await open()).ask({ text: "Hi" })).toEqual({ text: "Hello", finish });
});

test("an answer that is cut is a lost connection, after what had arrived", async () => {
  onRequest = (_kind, stream, process) => {
    process.say(stream, TaskKind.delta, Buffer.from("Half"));
    process.socket.close(CloseCode.died);
  };
  const conversation = await open();
  const texts: string[] = [];
  const reading = (async () => {
    for await (const event of conversation.turn({ text: "Hi" }))
      if (event.type === "delta") texts.push(event.text);
  })();
  await expect(reading).rejects.toThrow(failing("ERR_CONNECTION_LOST"));
  expect(texts).toEqual(["Half"]);
});

test("leaving the loop early stops the answer", async () => {
  const stopped = Promise.withResolvers<void>();
  onRequest = (kind, stream, process) => {
    if (kind === TaskKind.turn) process.say(stream, TaskKind.delta, Buffer.from("Half"));
    if (kind === TaskKind.stop) stopped.resolve();
  };
  for await (const event of (await open()).turn({ text: "Hi" })) if (event.type === "delta") break;
  await stopped.promise;
  expect(asked).toEqual(["open", "turn", "stop"]);
});

test("a turn that is refused does not stop the one under way", async () => {
  let first: number | undefined;
  onRequest = (kind, stream, process) => {
    if (kind === TaskKind.stop) throw new Error("stopped");
    if (first === undefined) first = stream;
    else if (kind === TaskKind.attach) {
      process.say(stream, TaskKind.attached, { bytes: 1 }, true);
      answers(first, process, Buffer.from("Hello"));
    } else process.say(stream, TaskKind.refused, { code: "ERR_BUSY", message: "busy" }, true);
  };
  const conversation = await open();
  const one = conversation.ask({ text: "One" });
  await expect(conversation.ask({ text: "Two" })).rejects.toThrow(failing("ERR_BUSY"));
  await conversation.attach("a", Buffer.from("a"));
  expect((await one).text).toBe("Hello");
  expect(asked).toEqual(["open", "turn", "turn", "attach"]);
});

describe("an attachment", () => {
  test("has a name for later turns", async () => {
    onRequest = (_kind, stream, process) =>
      process.say(stream, TaskKind.attached, { bytes: 1 }, true);
    const conversation = await open();
    expect(await conversation.attach("a", Buffer.from("a"))).toBe(1);
    expect(await conversation.attach("b", Buffer.from("b"))).toBe(2);
  });

  test("that is refused says why", async () => {
    onRequest = (_kind, stream, process) =>
      process.say(stream, TaskKind.refused, { code: "ERR_LIMIT", message: "much" }, true);
    await expect((await open()).attach("a", Buffer.from("a"))).rejects.toThrow(
      failing("ERR_LIMIT"),
    );
  });
});

test("what is too long to be sent is refused here", async () => {
  const conversation = await open();
  const long = "x".repeat(8 * 1024 * 1024);
  await expect(conversation.ask({ text: long })).rejects.toThrow(failing("ERR_LIMIT"));
  await expect(conversation.attach("a", Buffer.alloc(long.length + 1))).rejects.toThrow(
    failing("ERR_LIMIT"),
  );
  expect(asked).toEqual(["open"]);
});

describe("after the end", () => {
  const close = (process: TestProcess, reason: string, code: number) => {
    process.say(0, TaskKind.closing, { reason }, true);
    process.socket.close(code);
  };

  test("the worker's own reason is given, and nothing can be asked", async () => {
    onRequest = (_kind, _stream, process) => close(process, "ended", CloseCode.done);
    const conversation = await open();
    await conversation.end();
    expect(await conversation.closed).toBe("ended");
    const ended = failing("ERR_CONVERSATION_ENDED");
    await expect(conversation.ask({ text: "Hi" })).rejects.toThrow(ended);
    await expect(conversation.attach("a", Buffer.from("a"))).rejects.toThrow(ended);
  });

  test("a turn under way learns it", async () => {
    onRequest = (_kind, _stream, process) => close(process, "idle", CloseCode.timeout);
    await expect((await open()).ask({ text: "Hi" })).rejects.toThrow(
      failing("ERR_CONVERSATION_ENDED"),
    );
  });
});

test("a process that dies before it opened is a failure to open", async () => {
  gateway.onMessage = (_event, { socket }) => socket.close(CloseCode.died);
  await expect(open()).rejects.toThrow(failing("ERR_CONNECTION_LOST"));
});

describe("a node that never ends a conversation", () => {
  async function openWithFakeTimers(): Promise<Conversation> {
    const conversation = await open();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    return conversation;
  }

  test.each([
    ["end", 5_000, (conversation: Conversation) => conversation.end()],
    ["closedWithin", 7_000, (conversation: Conversation) => conversation.closedWithin(7_000)],
  ])("is not waited for: %s drops it after %i ms", async (_name, limitMs, wait) => {
    const conversation = await openWithFakeTimers();
    const drop = vi.spyOn(conversation, "drop");
    const ending = wait(conversation);
    vi.advanceTimersByTime(limitMs - 1);
    expect(drop).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(drop).toHaveBeenCalledOnce();
    // A node that does not answer the close either.
    vi.advanceTimersByTime(1_000);
    await ending;
    expect(await conversation.closed).toMatchObject({ name: "ClientError" });
  });
});
