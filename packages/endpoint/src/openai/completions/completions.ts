/**
 * `POST /v1/completions`: a text that the model continues, whole or while it comes.
 *
 * Source: OpenAI API reference, "The completion object".
 *
 * @module
 */
import type { Finish } from "@phantoma/protocol";
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

async function collect({ echoed }: CompletionsRequest, parts: Parts): Promise<object> {
  const choices: object[] = [];
  const finishes: Finish[] = [];
  let text = echoed;
  for await (const part of parts) {
    if (part.type === "text") text += part.text;
    if (part.type !== "finish") continue;
    choices.push(choiceOf(part.choice, text, part.finish));
    finishes.push(part.finish);
    text = echoed;
  }
  return { choices, usage: usageOf(finishes) };
}

async function stream(
  exchange: Exchange,
  { echoed, includesUsage }: CompletionsRequest,
  head: object,
  parts: Parts,
): Promise<void> {
  const finishes: Finish[] = [];
  const send = (choices: readonly object[], usage: object | null = null) =>
    exchange.events.send({ ...head, choices, ...(includesUsage && { usage }) });
  await exchange.whileStreaming(openAiErrorBody, async () => {
    let isBegun = echoed === "";
    for await (const part of parts) {
      if (!isBegun) await send([choiceOf(part.choice, echoed)]);
      isBegun = true;
      if (part.type === "text") await send([choiceOf(part.choice, part.text)]);
      if (part.type !== "finish") continue;
      finishes.push(part.finish);
      await send([choiceOf(part.choice, "", part.finish)]);
      isBegun = echoed === "";
    }
    if (includesUsage) await send([], usageOf(finishes));
    await exchange.events.sendLine("data: [DONE]");
  });
}

function choiceOf(index: number, text: string, finish?: Finish): object {
  return {
    index,
    text,
    logprobs: null,
    finish_reason: finish ? (isCut(finish) ? "length" : "stop") : null,
  };
}
