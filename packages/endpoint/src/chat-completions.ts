/**
 * `POST /v1/chat/completions`: one whole answer, or one that is read while it comes.
 *
 * Source: OpenAI API reference, "The chat completion object" and "The chat completion chunk object".
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import type { Finish } from "@phantoma/protocol";
import type { Exchange } from "./exchange.ts";
import { openAiErrorBody } from "./api-error.ts";
import { parseChatRequest, type ChatRequest } from "./chat-parameters.ts";
import type { GenerationEvent } from "./generate.ts";

export async function chatCompletions(exchange: Exchange): Promise<void> {
  const request = parseChatRequest(await exchange.body());
  const { model, events } = await exchange.generate(request);
  const head = {
    id: `chatcmpl-${randomBytes(ID_BYTES).toString("base64url")}`,
    created: Math.floor(Date.now() / 1000),
    model: model.name,
    system_fingerprint: `fp_${model.digest.slice(0, FINGERPRINT_CHARS)}`,
  };
  if (request.isStreamed) await stream(exchange, request, head, events);
  else exchange.answer({ ...head, object: "chat.completion", ...(await collect(events)) });
}

/** Enough that no two answers of a program have one name. */
const ID_BYTES = 18;
/** Of the model's SHA-256: an eye tells two models apart. */
const FINGERPRINT_CHARS = 12;

type Events = AsyncIterable<GenerationEvent>;

async function collect(events: Events): Promise<object> {
  const texts: string[] = [];
  const finishes: Finish[] = [];
  for await (const event of events) {
    if (event.type === "finish") finishes[event.choice] = event.finish;
    else texts[event.choice] = (texts[event.choice] ?? "") + event.text;
  }
  const choices = finishes.map((finish, index) => ({
    index,
    message: { role: "assistant", content: texts[index] ?? "", refusal: null },
    logprobs: null,
    finish_reason: finishReason(finish),
  }));
  return { choices, usage: usageOf(finishes) };
}

async function stream(
  exchange: Exchange,
  { includesUsage }: ChatRequest,
  head: object,
  events: Events,
): Promise<void> {
  const object = "chat.completion.chunk";
  const finishes: Finish[] = [];
  const send = (choices: readonly object[], usage: object | null = null) =>
    exchange.events.send({ ...head, object, choices, ...(includesUsage && { usage }) });
  const say = (index: number, delta: object, finish_reason: string | null = null) =>
    send([{ index, delta, logprobs: null, finish_reason }]);
  const begun = new Set<number>();
  await exchange.whileStreaming(openAiErrorBody, async () => {
    for await (const event of events) {
      const { choice } = event;
      if (!begun.has(choice)) await say(choice, { role: "assistant", content: "" });
      begun.add(choice);
      if (event.type === "text") await say(choice, { content: event.text });
      else {
        finishes.push(event.finish);
        await say(choice, {}, finishReason(event.finish));
      }
    }
    if (includesUsage) await send([], usageOf(finishes));
    await exchange.events.sendLine("data: [DONE]");
  });
}

export function finishReason({ reason }: Finish): "stop" | "length" {
  return reason === "length" || reason === "context-full" ? "length" : "stop";
}

/** The prompt is one, however many answers it had. */
export function usageOf(finishes: readonly Finish[]): object {
  const { promptTokens = 0, reusedTokens = 0 } = finishes[0]?.usage ?? {};
  const completion = finishes.reduce((sum, { usage }) => sum + usage.completionTokens, 0);
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completion,
    total_tokens: promptTokens + completion,
    prompt_tokens_details: { cached_tokens: reusedTokens },
  };
}
