/**
 * `POST /v1/chat/completions`: one whole answer, or one that is read while it comes.
 *
 * Source: OpenAI API reference, "The chat completion object" and "The chat completion chunk object".
 *
 * @module
 */
import type { Finish, TokenLogprob } from "@phantoma/protocol";
import type { ToolCall } from "../../answer/tool-calls.ts";
import type { AnswerEvent } from "../../exchange/answer-parts.ts";
import type { Exchange } from "../../exchange/exchange.ts";
import { newId } from "../../exchange/new-id.ts";
import { headOf, isCut, usageOf } from "../completion-object.ts";
import { openAiErrorBody } from "../error-body.ts";
import { logprobObject } from "../logprobs.ts";
import { parseChatRequest, type ChatRequest } from "./chat-parameters.ts";

export async function chatCompletions(exchange: Exchange): Promise<void> {
  const request = parseChatRequest(await exchange.body());
  const { model, parts } = await exchange.generate(request);
  const head = headOf("chatcmpl-", model);
  if (request.isStreamed) await stream(exchange, request, head, parts);
  else exchange.answer({ ...head, object: "chat.completion", ...(await collect(request, parts)) });
}

class Choice {
  content = "";
  readonly calls: object[] = [];
  readonly tokens: TokenLogprob[] = [];
}

async function collect(request: ChatRequest, parts: AsyncIterable<AnswerEvent>): Promise<object> {
  const choices: object[] = [];
  const finishes: Finish[] = [];
  let choice = new Choice();
  for await (const part of parts) {
    if (part.type !== "call") choice.tokens.push(...part.tokens);
    if (part.type === "text") choice.content += part.text;
    else if (part.type === "call") choice.calls.push(callObject(part.call));
    else {
      finishes.push(part.finish);
      choices.push({
        index: part.choice,
        message: messageOf(choice),
        logprobs: logprobsOf(request, choice.tokens),
        finish_reason: finishReason(part),
      });
      choice = new Choice();
    }
  }
  return { choices, usage: usageOf(finishes) };
}

function messageOf({ content, calls }: Choice): object {
  const isOnlyCalls = content === "" && calls.length > 0;
  return {
    role: "assistant",
    content: isOnlyCalls ? null : content,
    refusal: null,
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

function logprobsOf({ logprobs }: ChatRequest, tokens: readonly TokenLogprob[]): object | null {
  return logprobs === undefined ? null : { content: tokens.map(logprobObject), refusal: null };
}

async function stream(
  exchange: Exchange,
  request: ChatRequest,
  head: object,
  parts: AsyncIterable<AnswerEvent>,
): Promise<void> {
  const { includesUsage } = request;
  const object = "chat.completion.chunk";
  const finishes: Finish[] = [];
  const send = (choices: readonly object[], usage: object | null = null) =>
    exchange.events.send({ ...head, object, choices, ...(includesUsage && { usage }) });
  const say = (index: number, delta: object, more: object = {}) =>
    send([{ index, delta, logprobs: null, finish_reason: null, ...more }]);
  /** How many calls each answer that has begun has had. */
  const calls = new Map<number, number>();
  await exchange.whileStreaming(openAiErrorBody, async () => {
    for await (const part of parts) {
      const { choice } = part;
      const index = calls.get(choice);
      if (index === undefined) await say(choice, { role: "assistant", content: "" });
      calls.set(choice, (index ?? 0) + (part.type === "call" ? 1 : 0));
      if (part.type === "text")
        await say(choice, { content: part.text }, { logprobs: logprobsOf(request, part.tokens) });
      else if (part.type === "call")
        await say(choice, { tool_calls: [{ index: index ?? 0, ...callObject(part.call) }] });
      else {
        finishes.push(part.finish);
        const logprobs = part.tokens.length > 0 ? logprobsOf(request, part.tokens) : null;
        await say(choice, {}, { logprobs, finish_reason: finishReason(part) });
      }
    }
    if (includesUsage) await send([], usageOf(finishes));
    await exchange.events.sendLine("data: [DONE]");
  });
}

function callObject(call: ToolCall): object {
  return { id: newId("call_"), type: "function", function: call };
}

function finishReason({ finish, calls }: Extract<AnswerEvent, { type: "finish" }>): string {
  if (isCut(finish)) return "length";
  return calls > 0 ? "tool_calls" : "stop";
}
