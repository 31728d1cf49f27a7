/**
 * phantoma ask: one question, one answer, one worker.
 *
 * @module
 */
import type { Command } from "../command.ts";
import { Home } from "../home.ts";
import { chatOptions, commonOptions, historyOf, parse, samplingOf } from "../options.ts";
import { notice, UsageError, write, writeJson } from "../output.ts";
import { chooseModel, openConversation, untilOver } from "../session.ts";
import { streamAnswer } from "../stream-answer.ts";

export const ask: Command = {
  usage: "ask [--node NAME] [--model NAME] [--system TEXT] [sampling options] QUESTION",
  summary:
    "asks one question and prints the answer; `-` reads it from standard input, which is private: other users of this machine can see a command line",
  async run(args) {
    const { values, positionals } = parse(args, { ...commonOptions, ...chatOptions });
    const text = positionals.join(" ") === "-" ? await standardInput() : positionals.join(" ");
    if (!text.trim()) throw new UsageError("what should be asked?");
    const sampling = samplingOf(values);
    const home = new Home(values.home);
    const peer = home.peer(values.node);
    const model = await chooseModel(peer, values.model);
    const history = historyOf(values);
    const conversation = await openConversation(peer, { model, mode: "turn", history });
    const askedAt = performance.now();
    try {
      const answer = await streamAnswer(conversation, { text, sampling }, !values.json);
      if (values.json) writeJson(answer);
      else write("\n");
      if (answer.reason === "length") notice("phantoma: cut at --max-tokens");
      await untilOver(conversation, askedAt);
    } finally {
      // A worker that was not asked waits for a question, and this program would wait with it.
      conversation.drop();
    }
    return 0;
  },
};

async function standardInput(): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(parts));
}
