import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeModel, modelFileName, shapes } from "../../../tools/make-model/make-model.ts";
import type { AnswerEvent } from "../ipc/conversation.ts";
import { ConsoleSession } from "./console-session.ts";
import { openFileKeyStore } from "./key-store.ts";

const rootDir = fileURLToPath(new URL("../../..", import.meta.url));
let session: ConsoleSession;

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
    demo: { nodeDir: join(rootDir, "apps/node"), models: [{ path, name: "echo" }] },
    // This model repeats itself for ever, and would fill its context with the first answer.
    maxAnswerTokens: 64,
  });
}, 120_000);

afterAll(() => session.close());

test("a demo node is started, paired, asked, asked again, ended, and gives its receipt", async () => {
  const { id: node } = await session.requests["demo.start"]({});
  await session.requests["nodes.confirm"]({ node });
  const { models, status } = await session.requests["nodes.status"]({ node });
  expect(status.starter).toBe("gateway");
  const input = { node, model: models[0]!.digest, mode: "conversation" } as const;
  const { id: conversation } = await session.requests["conversations.create"](input);

  const answer = async (parent: string | null, text: string) => {
    const events: AnswerEvent[] = [];
    const { signal } = new AbortController();
    const asked = { conversation, parent, text };
    await session.streams["chat.answer"](asked, (event) => events.push(event), signal);
    return events;
  };
  const get = () => session.requests["conversations.get"]({ conversation });
  const first = await answer(null, "alpha beta gamma");
  expect(first.at(-1)).toMatchObject({ type: "end", answer: { state: "complete" } });
  const { head, worker } = await get();
  const second = await answer(head, "delta epsilon");
  expect(second.at(-1)).toMatchObject({ type: "end" });
  const { messages, worker: later } = await get();
  expect(later.task).toBe(worker.task);
  expect(messages.at(-1)!.metrics!.tokens).toBeGreaterThan(0);

  const { receipt } = await session.requests["chat.end"]({ conversation });
  expect(receipt).toMatchObject({ task: worker.task, model: models[0]!.digest });
  const { receipts } = await session.requests["receipts.list"]({ node });
  expect(receipts.map(({ task }) => task)).toContain(worker.task);
}, 120_000);
