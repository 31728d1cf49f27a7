/**
 * `POST /v1/completions`: a text that the model continues, whole or while it comes.
 *
 * Source: OpenAI API reference, "The completion object".
 *
 * @module
 */
import type { Finish } from "@phantoma/protocol";
import { openAiErrorBody } from "./api-error.ts";
import { headOf, usageOf } from "./chat-completions.ts";
import { parseCompletionsRequest, type CompletionsRequest } from "./completions-parameters.ts";
import type { Exchange } from "./exchange.ts";
import type { GenerationEvent } from "./generate.ts";

export async function completions(exchange: Exchange): Promise<void> {
  const request = parseCompletionsRequest(await exchange.body());
  const { model, events } = await exchange.generate(request);
  const head = { ...headOf("cmpl-", model), object: "text_completion" };
  if (request.isStreamed) await stream(exchange, request, head, events);
  else exchange.answer({ ...head, ...(await collect(request, events)) });
}

type Events = AsyncIterable<GenerationEvent>;

async function collect({ echoed }: CompletionsRequest, events: Events): Promise<object> {
  const choices: object[] = [];
  const finishes: Finish[] = [];
  let text = echoed;
  for await (const event of events) {
    if (event.type === "text") text += event.text;
    else {
      choices.push(choiceOf(event.choice, text, event.finish));
      finishes.push(event.finish);
      text = echoed;
    }
  }
  return { choices, usage: usageOf(finishes) };
}

async function stream(
  exchange: Exchange,
  { echoed, includesUsage }: CompletionsRequest,
  head: object,
  events: Events,
): Promise<void> {
  const finishes: Finish[] = [];
  const send = (choices: readonly object[], usage: object | null = null) =>
    exchange.events.send({ ...head, choices, ...(includesUsage && { usage }) });
  await exchange.whileStreaming(openAiErrorBody, async () => {
    let isBegun = echoed === "";
    for await (const event of events) {
      if (!isBegun) await send([choiceOf(event.choice, echoed)]);
      isBegun = true;
      if (event.type === "text") await send([choiceOf(event.choice, event.text)]);
      else {
        finishes.push(event.finish);
        await send([choiceOf(event.choice, "", event.finish)]);
        isBegun = echoed === "";
      }
    }
    if (includesUsage) await send([], usageOf(finishes));
    await exchange.events.sendLine("data: [DONE]");
  });
}

function choiceOf(index: number, text: string, finish?: Finish): object {
  const isCut = finish?.reason === "length" || finish?.reason === "context-full";
  return {
    index,
    text,
    logprobs: null,
    finish_reason: finish ? (isCut ? "length" : "stop") : null,
  };
}
