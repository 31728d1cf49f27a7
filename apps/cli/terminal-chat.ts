/**
 * The conversation loop of a terminal: a question, an answer that can be stopped, again.
 *
 * What was said is kept in this process only, so that a new worker can be told when the old one is
 * gone; leaving the program forgets it, unless a person said /save.
 *
 * @module
 */
import { createInterface } from "node:readline/promises";
import { ClientError, type Conversation, type ConversationOptions } from "@phantoma/client";
import { historyOf, modeOf, samplingOf, type ChatValues } from "./options.ts";
import { hex, isAdvised, notice, printError, write, writeJson } from "./output.ts";
import { openConversation, type Peer } from "./session.ts";
import { streamAnswer } from "./stream-answer.ts";

type History = NonNullable<ConversationOptions["history"]>[number][];

const HELP =
  "/end ends the worker · /new forgets the conversation too · /save keeps it, sealed · /quit leaves";

export async function terminalChat(
  peer: Peer,
  model: Buffer,
  values: ChatValues & { readonly json: boolean },
  /** Keeps what was said; absent where nothing is kept. @returns its name */
  save?: (said: readonly History[number][]) => Promise<string>,
): Promise<void> {
  const history: History = [...historyOf(values)];
  const mode = modeOf(values);
  const sampling = samplingOf(values);
  let conversation: Conversation | undefined;
  let isAnswering = false;
  const terminal = createInterface({
    input: process.stdin,
    output: process.stderr,
    prompt: "\n> ",
  });
  terminal.on("SIGINT", () => (isAnswering ? conversation?.stop() : terminal.close()));
  const lines = terminal[Symbol.asyncIterator]();
  // Piped input ends before its last line is answered; there is nobody to prompt then.
  let isClosed = false;
  terminal.once("close", () => (isClosed = true));
  notice(HELP);
  try {
    for (;;) {
      if (!isClosed) terminal.prompt();
      const { value: line, done } = await lines.next();
      const text = line?.trim() ?? "";
      if (done || text === "/quit") return;
      if (text === "") continue;
      if (text === "/save") {
        try {
          if (!save) notice("  this demo keeps nothing");
          else notice(`  saved as ${await save(history)}; what comes is saved by the next /save`);
        } catch (error) {
          if (!isAdvised(error)) throw error;
          printError(error, values.json);
        }
        continue;
      }
      if (text === "/end" || text === "/new") {
        if (text === "/new") history.splice(0, history.length, ...historyOf(values));
        await sayEnd(conversation);
        conversation = undefined;
        continue;
      }
      isAnswering = true;
      try {
        conversation ??= await openWatched(peer, model, mode, history, () => {
          conversation = undefined;
        });
        const answer = await streamAnswer(conversation, { text, sampling }, !values.json);
        history.push({ role: "user", text }, { role: "assistant", text: answer.text });
        if (values.json) writeJson(answer);
        else write("\n");
        const speed = answer.tokensPerSecond?.toFixed(1) ?? "?";
        notice(`  ${answer.completionTokens} tokens, ${speed} tokens/s, ${answer.reason}`);
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        if (!values.json) write("\n");
        printError(error, values.json);
      } finally {
        isAnswering = false;
      }
    }
  } finally {
    terminal.close();
    await conversation?.end();
  }
}

async function openWatched(
  peer: Peer,
  model: Buffer,
  mode: "conversation" | "turn",
  history: History,
  onClosed: () => void,
): Promise<Conversation> {
  const conversation = await openConversation(peer, { model, mode, history });
  const { starter, policy } = conversation.certificate;
  if (starter === "gateway")
    notice(`  demo mode: a worker of this node's own making, kernel policy: ${policy}`);
  void conversation.closed.then(onClosed);
  return conversation;
}

async function sayEnd(conversation: Conversation | undefined): Promise<void> {
  if (!conversation) return notice("  there is no worker to end");
  await conversation.end();
  notice(`  ended; task ${hex(conversation.task).slice(0, 16)}`);
}
