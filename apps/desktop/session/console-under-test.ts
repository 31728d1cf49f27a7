/**
 * A console session with a played node, for tests: paired, with one conversation.
 *
 * @module
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConsoleEvent } from "../ipc/contract.ts";
import type { AnswerEvent, AnswerInput } from "../ipc/conversation.ts";
import { ConsoleSession } from "./console-session.ts";
import { FakeNode, MODEL, NODE_KEY } from "./fake-node.ts";
import { openFileKeyStore } from "./key-store.ts";

export function newConsole() {
  const homeDir = mkdtempSync(join(tmpdir(), "phantoma-console-"));
  const node = new FakeNode();
  const session = new ConsoleSession({
    version: "0.1.0",
    shell: "web",
    homeDir,
    keyStore: openFileKeyStore(homeDir),
    demo: { nodeDir: "", models: [] },
    client: node,
    endpointPort: 0,
  });
  const events: ConsoleEvent[] = [];
  session.subscribe((event) => events.push(event));
  return { homeDir, node, session, events };
}

export async function pairedConsole(mode: "conversation" | "turn" = "conversation") {
  const { session, ...rest } = newConsole();
  await session.requests["demo.start"]({});
  await session.requests["nodes.confirm"]({ node: NODE_KEY });
  const input = { node: NODE_KEY, model: MODEL, mode };
  const { id } = await session.requests["conversations.create"](input);
  const get = () => session.requests["conversations.get"]({ conversation: id });
  /** The events of one answer. @param onEvent may stop it */
  const answer = async (
    input: DistributiveOmit<AnswerInput, "conversation">,
    onEvent: (event: AnswerEvent, stop: () => void) => void = () => undefined,
  ) => {
    const stop = new AbortController();
    const seen: AnswerEvent[] = [];
    const send = (event: AnswerEvent) => {
      seen.push(event);
      onEvent(event, () => stop.abort());
    };
    await session.streams["chat.answer"]({ conversation: id, ...input }, send, stop.signal);
    return seen;
  };
  return { session, ...rest, id, get, answer };
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
