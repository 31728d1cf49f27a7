import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openReceiptFile } from "@phantoma/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeModel, modelFileName, shapes } from "../../../tools/make-model/make-model.ts";
import type { AnswerEvent } from "../ipc/conversation.ts";
import { ConsoleSession } from "./console-session.ts";
import { openFileKeyStore } from "./key-store.ts";

const rootDir = fileURLToPath(new URL("../../..", import.meta.url));
let session: ConsoleSession;
let node = "";
let model = "";

beforeAll(async () => {
  const shape = shapes.echo();
  const path = join(rootDir, ".cache/models", modelFileName(shape, 1));
  await makeModel({ path, shape, seed: 1 });
  const homeDir = mkdtempSync(join(tmpdir(), "phantoma-console-"));
  session = new ConsoleSession({
    version: "0.1.0",
    shell: "web",
    homeDir,
    keyStore: openFileKeyStore(homeDir),
    demo: {
      nodeDir: join(rootDir, "apps/node"),
      models: [{ path, name: "echo" }],
      // One conversation at a time, so that a second one waits.
      gatewayFlags: ["--warm", "1", "--max-live", "1"],
    },
    // This model repeats itself for ever, and would fill its context with the first answer.
    maxAnswerTokens: 64,
  });
  ({ id: node } = await session.requests["demo.start"]({}));
  await session.requests["nodes.confirm"]({ node });
  const { models, status } = await session.requests["nodes.status"]({ node });
  expect(status.starter).toBe("gateway");
  model = models[0]!.digest;
}, 120_000);

afterAll(() => session.close());

async function newConversation() {
  const input = { node, model, mode: "conversation" } as const;
  const { id: conversation } = await session.requests["conversations.create"](input);
  const get = () => session.requests["conversations.get"]({ conversation });
  const answer = async (text: string, onEvent: (event: AnswerEvent, stop: () => void) => void) => {
    const stop = new AbortController();
    const send = (event: AnswerEvent) => onEvent(event, () => stop.abort());
    const asked = { conversation, parent: (await get()).head, text };
    await session.streams["chat.answer"](asked, send, stop.signal);
    return (await get()).messages.at(-1)!;
  };
  const end = () => session.requests["chat.end"]({ conversation });
  return { get, answer, end };
}

const ignore = () => undefined;

test("a node is asked, asked again by the same worker, ended, and gives its receipt", async () => {
  const { get, answer, end } = await newConversation();
  expect(await answer("alpha beta gamma", ignore)).toMatchObject({ state: "complete" });
  const { worker } = await get();
  const second = await answer("delta epsilon", ignore);
  expect(second).toMatchObject({ state: "complete" });
  expect(second.metrics!.tokens).toBeGreaterThan(0);
  expect((await get()).worker.task).toBe(worker.task);
  const { receipt } = await end();
  expect(receipt).toMatchObject({ task: worker.task, model });
  const { receipts } = await session.requests["receipts.list"]({ node, before: null });
  expect(receipts.find(({ task }) => task === worker.task)).toMatchObject({ isOwn: true });
  const query = { node, task: worker.task, before: null };
  const { path } = await session.requests["receipts.export"](query);
  const file = openReceiptFile(readFileSync(path), { node });
  expect(file.receipts.map((one) => Buffer.from(one.receipt.task).toString("hex"))).toEqual([
    worker.task,
  ]);
}, 120_000);

test("a stopped answer is kept as it is, and a question that waits can be taken back", async () => {
  const first = await newConversation();
  const second = await newConversation();
  const stopped = await first.answer("talk", ({ type }, stop) => {
    if (type === "delta") stop();
  });
  expect(["stopped", "complete"]).toContain(stopped.state);
  expect(stopped.text).not.toBe("");
  const waiting: string[] = [];
  const takenBack = await second.answer("hello", ({ type }, stop) => {
    waiting.push(type);
    if (type === "queued") stop();
  });
  expect(waiting).toContain("queued");
  expect(takenBack).toMatchObject({ state: "stopped", text: "" });
  await first.end();
  expect(await second.answer("now", ignore)).toMatchObject({ state: "complete" });
  await second.end();
}, 120_000);
