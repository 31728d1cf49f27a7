/**
 * `POST /v1/messages`: an answer in Anthropic's interface, whole or while it comes.
 *
 * Source: Anthropic API reference, "Create a Message" and "Streaming Messages".
 *
 * @module
 */
import type { Finish } from "@phantoma/protocol";
import type { ToolCall } from "../answer/tool-calls.ts";
import type { Asked } from "../conversations/generate.ts";
import type { AnswerEvent } from "../exchange/answer-parts.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { newId } from "../exchange/new-id.ts";
import { anthropicErrorBody } from "./error-body.ts";
import { bodyWithHeaders } from "./header-parameters.ts";
import { parseMessagesRequest } from "./messages-parameters.ts";

export async function messages(exchange: Exchange): Promise<void> {
  const request = parseMessagesRequest(await bodyWithHeaders(exchange));
  const { model, parts } = await exchange.generate(request);
  const head = { id: newId("msg_"), type: "message", role: "assistant", model: model.name };
  if (request.isStreamed) await stream(exchange, request, head, parts);
  else exchange.answer({ ...head, ...(await collect(request, parts)) });
}

type Parts = AsyncIterable<AnswerEvent>;

async function collect(request: Asked, parts: Parts): Promise<object> {
  let text = "";
  const calls: object[] = [];
  let end = {};
  for await (const part of parts) {
    if (part.type === "text") text += part.text;
    else if (part.type === "call") calls.push(callBlock(part.call, inputOf(part.call)));
    else end = { ...stopOf(request, part), usage: usageOf(part.finish) };
  }
  const content = [...(text === "" ? [] : [{ type: "text", text, citations: null }]), ...calls];
  return { content, ...end };
}

async function stream(
  exchange: Exchange,
  request: Asked,
  head: object,
  parts: Parts,
): Promise<void> {
  const send = (type: string, more: object) => exchange.events.send({ type, ...more }, type);
  let index = 0;
  let isInText = false;
  const endText = async () => {
    if (isInText) await send("content_block_stop", { index: index++ });
    isInText = false;
  };
  await exchange.whileStreaming(anthropicErrorBody, async () => {
    const nothing = { content: [], stop_reason: null, stop_sequence: null };
    const usage = { input_tokens: 0, output_tokens: 0 };
    await send("message_start", { message: { ...head, ...nothing, usage } });
    for await (const part of parts) {
      if (part.type === "text") {
        const block = { type: "text", text: "", citations: null };
        if (!isInText) await send("content_block_start", { index, content_block: block });
        isInText = true;
        const delta = { type: "text_delta", text: part.text };
        await send("content_block_delta", { index, delta });
        continue;
      }
      await endText();
      if (part.type === "call") {
        await send("content_block_start", { index, content_block: callBlock(part.call, {}) });
        const delta = { type: "input_json_delta", partial_json: part.call.arguments };
        await send("content_block_delta", { index, delta });
        await send("content_block_stop", { index: index++ });
      } else {
        const delta = stopOf(request, part);
        await send("message_delta", { delta, usage: usageOf(part.finish) });
      }
    }
    await send("message_stop", {});
  });
}

function callBlock({ name }: ToolCall, input: unknown): object {
  return { type: "tool_use", id: newId("toolu_"), name, input, caller: { type: "direct" } };
}

/** A call that was cut has no input that could be read. */
function inputOf(call: ToolCall): unknown {
  try {
    return JSON.parse(call.arguments);
  } catch {
    return {};
  }
}

function stopOf(
  { sampling: { stop = [] } }: Asked,
  { finish: { reason }, calls }: Extract<AnswerEvent, { type: "finish" }>,
): { stop_reason: string; stop_sequence: string | null } {
  if (reason === "length" || reason === "context-full")
    return { stop_reason: "max_tokens", stop_sequence: null };
  // The worker says that one of them ended the answer, not which.
  if (reason === "stop-string")
    return { stop_reason: "stop_sequence", stop_sequence: stop.length === 1 ? stop[0]! : null };
  return { stop_reason: calls > 0 ? "tool_use" : "end_turn", stop_sequence: null };
}

function usageOf({ usage }: Finish): object {
  const { promptTokens, reusedTokens, completionTokens } = usage;
  return {
    input_tokens: promptTokens - reusedTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: reusedTokens,
    output_tokens: completionTokens,
  };
}
