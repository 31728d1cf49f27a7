/**
 * `POST /v1/responses`: an answer as a list of items, whole or while it comes.
 *
 * Source: OpenAI API reference, "The response object" and "Streaming events".
 *
 * @module
 */
import type { Finish, TokenLogprob } from "@phantoma/protocol";
import type { ToolCall } from "../../answer/tool-calls.ts";
import type { AnswerEvent } from "../../exchange/answer-parts.ts";
import type { Exchange } from "../../exchange/exchange.ts";
import { newId } from "../../exchange/new-id.ts";
import type { ApiError } from "../../request/api-error.ts";
import { logprobObject, type LogprobObject } from "../logprobs.ts";
import { parseResponsesRequest } from "./responses-parameters.ts";

export async function responses(exchange: Exchange): Promise<void> {
  const request = parseResponsesRequest(await exchange.body());
  const { model, parts } = await exchange.generate(request);
  const head = {
    id: newId("resp_"),
    object: "response",
    created_at: Math.floor(Date.now() / 1000),
    model: model.name,
    error: null,
    ...request.echo,
  };
  if (request.isStreamed) return stream(exchange, head, parts);
  let last: object = {};
  for await (const { type, ...event } of eventsOf(head, parts))
    if (type === "response.completed" || type === "response.incomplete")
      last = event.response as object;
  exchange.answer(last);
}

async function stream(
  exchange: Exchange,
  head: object,
  parts: AsyncIterable<AnswerEvent>,
): Promise<void> {
  let sequence_number = 0;
  const cut = (error: ApiError) => {
    const { code, message, param } = error;
    return { type: "error", code, message, param, sequence_number };
  };
  await exchange.whileStreaming(cut, async () => {
    for await (const event of eventsOf(head, parts))
      await exchange.events.send({ ...event, sequence_number: sequence_number++ }, event.type);
  });
}

type ResponseEvent = { readonly type: string } & Readonly<Record<string, unknown>>;

/** The whole answer as events; the last one carries all of it. */
async function* eventsOf(
  head: object,
  parts: AsyncIterable<AnswerEvent>,
): AsyncGenerator<ResponseEvent, void, undefined> {
  const begun = {
    ...head,
    status: "in_progress",
    incomplete_details: null,
    output: [],
    usage: null,
  };
  yield { type: "response.created", response: begun };
  yield { type: "response.in_progress", response: begun };
  const output: object[] = [];
  let message: OpenMessage | undefined;
  for await (const part of parts) {
    if (part.type === "text") {
      if (!message) {
        message = { id: newId("msg_"), index: output.length, text: "", tokens: [] };
        yield* messageBegins(message);
      }
      message.text += part.text;
      message.tokens.push(...part.tokens);
      yield {
        type: "response.output_text.delta",
        ...placeOf(message),
        delta: part.text,
        logprobs: part.tokens.map(eventLogprob),
      };
      continue;
    }
    if (message) {
      if (part.type === "finish") message.tokens.push(...part.tokens);
      const isCut = part.type === "finish" && isIncomplete(part.finish);
      const item = messageItem(message, isCut ? "incomplete" : "completed");
      yield* messageEnds(message, item);
      output.push(item);
      message = undefined;
    }
    if (part.type === "call") {
      const item = callItem(part.call);
      yield* callEvents(item, output.length);
      output.push(item);
    } else {
      const isCut = isIncomplete(part.finish);
      const status = isCut ? "incomplete" : "completed";
      const incomplete_details = isCut ? { reason: "max_output_tokens" } : null;
      const usage = usageOf(part.finish);
      const response = { ...head, status, incomplete_details, output, usage };
      yield { type: `response.${status}`, response };
    }
  }
}

interface OpenMessage {
  readonly id: string;
  readonly index: number;
  text: string;
  readonly tokens: TokenLogprob[];
}

function placeOf({ id, index }: OpenMessage): object {
  return { item_id: id, output_index: index, content_index: 0 };
}

function textPart({ text, tokens }: Pick<OpenMessage, "text" | "tokens">): object {
  return { type: "output_text", text, annotations: [], logprobs: tokens.map(itemLogprob) };
}

/** An item has bytes for every token, if only none. */
function itemLogprob(token: TokenLogprob): object {
  const { top_logprobs, ...chosen } = logprobObject(token);
  const withBytes = (one: LogprobObject) => ({ ...one, bytes: one.bytes ?? [] });
  return { ...withBytes(chosen), top_logprobs: top_logprobs.map(withBytes) };
}

function eventLogprob({ top, ...chosen }: TokenLogprob): object {
  return { ...chosen, top_logprobs: top };
}

function messageItem(message: OpenMessage, status: string): object {
  const { id } = message;
  return { id, type: "message", role: "assistant", status, content: [textPart(message)] };
}

function* messageBegins(message: OpenMessage): Generator<ResponseEvent> {
  const { id, index } = message;
  const item = { id, type: "message", role: "assistant", status: "in_progress", content: [] };
  yield { type: "response.output_item.added", output_index: index, item };
  yield {
    type: "response.content_part.added",
    ...placeOf(message),
    part: textPart({ text: "", tokens: [] }),
  };
}

function* messageEnds(message: OpenMessage, item: object): Generator<ResponseEvent> {
  const { text, index, tokens } = message;
  const place = placeOf(message);
  const logprobs = tokens.map(eventLogprob);
  yield { type: "response.output_text.done", ...place, text, logprobs };
  yield { type: "response.content_part.done", ...place, part: textPart(message) };
  yield { type: "response.output_item.done", output_index: index, item };
}

function callItem(call: ToolCall) {
  const names = { id: newId("fc_"), call_id: newId("call_") };
  return { ...names, type: "function_call", status: "completed", ...call };
}

function* callEvents(item: ReturnType<typeof callItem>, index: number): Generator<ResponseEvent> {
  const { id, name, arguments: given } = item;
  const place = { item_id: id, output_index: index };
  const begun = { ...item, status: "in_progress", arguments: "" };
  yield { type: "response.output_item.added", output_index: index, item: begun };
  yield { type: "response.function_call_arguments.delta", ...place, delta: given };
  yield { type: "response.function_call_arguments.done", ...place, name, arguments: given };
  yield { type: "response.output_item.done", output_index: index, item };
}

function isIncomplete({ reason }: Finish): boolean {
  return reason === "length" || reason === "context-full";
}

function usageOf({ usage: { promptTokens, reusedTokens, completionTokens } }: Finish): object {
  return {
    input_tokens: promptTokens,
    input_tokens_details: { cached_tokens: reusedTokens },
    output_tokens: completionTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: promptTokens + completionTokens,
  };
}
