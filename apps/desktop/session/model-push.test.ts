import { createHash, randomBytes } from "node:crypto";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { PushEvent } from "../ipc/models.ts";
import { FakeNode } from "./fake-node.ts";
import { ModelPush } from "./model-push.ts";

/** More than one part, and an end that fills none. */
const FILE = Buffer.concat([Buffer.from("GGUF"), randomBytes(2_100_000)]);
const DIGEST = createHash("sha256").update(FILE).digest("hex");

/** A page that hands over what is wanted, as long as it is asked. */
function pushing(file = FILE, change?: (part: Buffer) => Buffer) {
  const node = new FakeNode();
  const push = new ModelPush();
  const closed = new AbortController();
  const events: PushEvent[] = [];
  const send = (event: PushEvent) => {
    events.push(event);
    if (event.type !== "want") return;
    const part = file.subarray(event.offset, event.offset + event.length);
    push.handOver(event.push, (change?.(part) ?? part).toString("base64"));
  };
  const run = (over: { send?: typeof send } = {}) =>
    push.run({
      name: "m",
      bytes: file.length,
      send,
      signal: closed.signal,
      pushFile: (sent) => node.pushModel(sent),
      ...over,
    });
  return { node, push, closed, events, run };
}

test("a file is read twice in order, and stored as it is", async () => {
  const { node, events, run } = pushing();
  await run();
  expect(node.pushed.get(DIGEST)).toEqual(FILE);
  const offsets = (stage: string) =>
    events.flatMap((event) =>
      event.type === "want" && event.stage === stage ? [event.offset] : [],
    );
  expect(offsets("hash")).toEqual([0, 990_000, 1_980_000]);
  expect(offsets("send")).toEqual([0, 990_000, 1_980_000]);
  expect(events.at(-1)).toEqual({
    type: "stored",
    model: { name: "m", digest: DIGEST, bytes: FILE.length },
  });
});

test("a node that has a part is sent the rest", async () => {
  const { node, events, run } = pushing();
  node.pushed.set(DIGEST, FILE.subarray(0, 1_234_567));
  await run();
  expect(events.find((event) => event.type === "want" && event.stage === "send")).toMatchObject({
    offset: 1_234_567,
  });
  expect(node.pushed.get(DIGEST)).toEqual(FILE);
});

test("a file that is no GGUF file is never sent", async () => {
  const { node, run } = pushing(Buffer.from("-----BEGIN OPENSSH PRIVATE KEY-----"));
  await expect(run()).rejects.toMatchObject({ code: "ERR_NOT_GGUF" });
  expect(node.pushed.size).toBe(0);
});

describe("the page", () => {
  test("hands over nothing that is not wanted", async () => {
    const { push, events, run } = pushing();
    const refusal = expect.objectContaining({ code: "ERR_PUSH_ENDED" });
    expect(() => push.handOver("0".repeat(16), "AA==")).toThrow(refusal);
    await run();
    const [first] = events;
    const id = first?.type === "want" ? first.push : "";
    expect(() => push.handOver(id, "AA==")).toThrow(refusal);
  });

  test("hands over exactly as much as is wanted", async () => {
    const { run } = pushing(FILE, (part) => part.subarray(1));
    await expect(run()).rejects.toMatchObject({ code: "ERR_VALIDATION" });
  });

  test("that hands over nothing ends it in a minute", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const { run } = pushing();
    const ended = expect(run({ send: () => undefined })).rejects.toMatchObject({
      code: "ERR_PUSH_ENDED",
    });
    vi.advanceTimersByTime(60_000);
    await ended;
  });

  test("that closes the stream ends it, and another file can be sent", async () => {
    const { push, closed, run } = pushing();
    const ended = run({ send: () => closed.abort() });
    await expect(ended).rejects.toMatchObject({ code: "ERR_PUSH_ENDED" });
    const next = pushing();
    const again = push.run({
      name: "m",
      bytes: FILE.length,
      send: () => next.closed.abort(),
      signal: next.closed.signal,
      pushFile: (sent) => next.node.pushModel(sent),
    });
    await expect(again).rejects.toMatchObject({ code: "ERR_PUSH_ENDED" });
  });

  test("sends one file at a time", async () => {
    const { closed, run } = pushing();
    const first = run({ send: () => undefined });
    await expect(run()).rejects.toMatchObject({ code: "ERR_PUSHING" });
    closed.abort();
    await expect(first).rejects.toMatchObject({ code: "ERR_PUSH_ENDED" });
  });
});
