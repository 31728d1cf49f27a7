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
import type { RequestHandlers } from "../ipc/router.ts";
import { ConsoleSession } from "./console-session.ts";
import { DesktopError } from "./desktop-error.ts";
import { FakeNode, MODEL, NODE_KEY } from "./fake-node.ts";
import { openFileKeyStore } from "./key-store.ts";

/** All that a router wants; a lock is around a session, and there is none here. */
export function withoutLock({ requests }: Pick<ConsoleSession, "requests">): RequestHandlers {
  const refuse = async () => {
    throw new DesktopError("ERR_LOCK_POINTLESS", "there is no lock in this test");
  };
  return {
    ...requests,
    "lock.get": refuse,
    "lock.now": refuse,
    "lock.open": refuse,
    "lock.setPassphrase": refuse,
    "lock.setIdle": refuse,
    "lock.active": refuse,
  };
}

/** @param prepare puts files into its home before it starts */
export function newConsole(prepare: (homeDir: string) => void = () => undefined) {
  const homeDir = mkdtempSync(join(tmpdir(), "phantoma-console-"));
  prepare(homeDir);
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
