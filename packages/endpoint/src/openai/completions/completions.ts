/**
 * `POST /v1/completions`: a text that the model continues, whole or while it comes.
 *
 * Source: OpenAI API reference, "The completion object".
 *
 * @module
 */
import type { Finish, TokenLogprob } from "@phantoma/protocol";
import type { AnswerEvent } from "../../exchange/answer-parts.ts";
import type { Exchange } from "../../exchange/exchange.ts";
import { headOf, isCut, usageOf } from "../completion-object.ts";
import { openAiErrorBody } from "../error-body.ts";
import { parseCompletionsRequest, type CompletionsRequest } from "./completions-parameters.ts";

export async function completions(exchange: Exchange): Promise<void> {
  const request = parseCompletionsRequest(await exchange.body());
  const { model, parts } = await exchange.generate(request);
  const head = { ...headOf("cmpl-", model), object: "text_completion" };
  if (request.isStreamed) await stream(exchange, request, head, parts);
  else exchange.answer({ ...head, ...(await collect(request, parts)) });
}

type Parts = AsyncIterable<AnswerEvent>;

async function collect(request: CompletionsRequest, parts: Parts): Promise<object> {
  const choices: object[] = [];
  const finishes: Finish[] = [];
  let answer = new Answer(request);
  let text = request.echoed;
  const tokens: TokenLogprob[] = [];
  for await (const part of parts) {
    if (part.type !== "call") tokens.push(...part.tokens);
    if (part.type === "text") text += part.text;
    if (part.type !== "finish") continue;
    choices.push(answer.piece(part.choice, text, tokens.splice(0), part.finish));
    finishes.push(part.finish);
    answer = new Answer(request);
    text = request.echoed;
  }
  return { choices, usage: usageOf(finishes) };
}

async function stream(
  exchange: Exchange,
  request: CompletionsRequest,
  head: object,
  parts: Parts,
): Promise<void> {
  const { echoed, includesUsage } = request;
  const finishes: Finish[] = [];
  const send = (choices: readonly object[], usage: object | null = null) =>
    exchange.events.send({ ...head, choices, ...(includesUsage && { usage }) });
  await exchange.whileStreaming(openAiErrorBody, async () => {
    let answer: Answer | undefined;
    for await (const part of parts) {
      if (part.type === "call") continue;
      if (!answer && echoed !== "") await send([new Answer(request).piece(part.choice, echoed)]);
      answer ??= new Answer(request);
      if (part.type === "text") {
        await send([answer.piece(part.choice, part.text, part.tokens)]);
        continue;
      }
      finishes.push(part.finish);
      await send([answer.piece(part.choice, "", part.tokens, part.finish)]);
      answer = undefined;
    }
    if (includesUsage) await send([], usageOf(finishes));
    await exchange.events.sendLine("data: [DONE]");
  });
}

/** One answer, in one piece or in several. */
class Answer {
  readonly #request: CompletionsRequest;
  /** Where in the answer the next token's text begins, in UTF-16 code units. */
  #offset = 0;

  constructor(request: CompletionsRequest) {
    this.#request = request;
  }

  piece(
    index: number,
    text: string,
    tokens: readonly TokenLogprob[] = [],
    finish?: Finish,
  ): object {
    const finish_reason = finish ? (isCut(finish) ? "length" : "stop") : null;
    return { index, text, logprobs: this.#logprobs(tokens), finish_reason };
  }

  #logprobs(tokens: readonly TokenLogprob[]): object | null {
    if (this.#request.logprobs === undefined) return null;
    return {
      tokens: tokens.map(({ token }) => token),
      token_logprobs: tokens.map(({ logprob }) => logprob),
      // The chosen one stands there too, as it does with OpenAI.
      top_logprobs: tokens.map(({ top, ...chosen }) =>
        Object.fromEntries([...top, chosen].map(({ token, logprob }) => [token, logprob])),
      ),
      text_offset: tokens.map(({ token }) => {
        const offset = this.#offset;
        this.#offset += token.length;
        return offset;
      }),
    };
  }
}
