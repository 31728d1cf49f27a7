/**
 * One request's answers, whatever interface it came by: one after the other, on one worker.
 *
 * @module
 */
import { ClientError } from "@phantoma/client";
import type { Finish, Sampling, TokenLogprob } from "@phantoma/protocol";
import { answerText, readAnswer } from "../answer/tool-calls.ts";
import type { Said } from "./continuation.ts";
import type { LiveConversations, Wanted } from "./live-conversations.ts";
import type { NodeLink } from "./node-link.ts";

export interface Generation extends Wanted {
  readonly sampling: Sampling;
  /** How many answers. */
  readonly choices: number;
  /** Whether an answer may have calls in it, which are compared in one form. */
  readonly canCall: boolean;
  /** How many of the likeliest tokens are told beside each one of the answer; absent: nothing is told of them. */
  readonly logprobs?: number | undefined;
}

/** What a request asks for, before it is known which model and whose conversation that is. */
export interface Asked extends Omit<Generation, "model"> {
  /** Name or digest. */
  readonly model: string;
  readonly isStreamed: boolean;
}

export type GenerationEvent =
  | { readonly type: "text"; readonly choice: number; readonly text: string }
  /** Before the text that it is in. */
  | { readonly type: "token"; readonly choice: number; readonly token: TokenLogprob }
  | { readonly type: "finish"; readonly choice: number; readonly finish: Finish };

/** llama.cpp takes 2^32 - 1 as "any". */
const SEEDS = 2 ** 32 - 1;

/**
 * Who no longer wants the answers aborts `signal` and reads on to the end, which comes soon: the model stops and
 * the conversation stays good.
 *
 * @throws {@link ClientError}; then the conversation has ended
 */
export async function* generate(
  node: NodeLink,
  live: LiveConversations,
  generation: Generation,
  signal: AbortSignal,
): AsyncGenerator<GenerationEvent, void, undefined> {
  const { messages, sampling, choices, canCall, logprobs } = generation;
  const lease = await live.lease(generation, node.opener(signal));
  const { conversation, keep } = lease;
  const { text: question } = messages.at(-1)!;
  const stop = () => conversation.stop();
  signal.addEventListener("abort", stop, { once: true });
  let said: readonly Said[] | undefined;
  try {
    for (let choice = 0; choice < choices && !signal.aborted; choice++) {
      const turn = {
        text: question,
        keep,
        sampling: samplingOf(sampling, choice),
        ...(logprobs !== undefined && { logprobs }),
      };
      said = undefined;
      let text = "";
      for await (const event of conversation.turn(turn)) {
        if (event.type === "delta") {
          text += event.text;
          yield { type: "text", choice, text: event.text };
        } else if (event.type === "logprobs") {
          yield { type: "token", choice, token: event.token };
        } else if (event.type === "finish") {
          said = [...messages, { role: "assistant", text: canCall ? inOneForm(text) : text }];
          yield { type: "finish", choice, finish: event.finish };
          // What follows is padding.
          break;
        }
      }
      if (said === undefined) throw new ClientError("ERR_CONNECTION_LOST", "the answer has no end");
    }
  } finally {
    signal.removeEventListener("abort", stop);
    if (said) lease.settle(said);
    else lease.discard();
  }
}

function inOneForm(answer: string): string {
  const { text, calls } = readAnswer(answer);
  return answerText(text, calls);
}

/** With one seed all answers would be the same; so each has its own, and all are the same the next time. */
function samplingOf(sampling: Sampling, choice: number): Sampling {
  if (sampling.seed === undefined) return sampling;
  return { ...sampling, seed: (sampling.seed + choice) % SEEDS };
}
