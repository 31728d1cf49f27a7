/**
 * What a program may ask of `/v1/messages/count_tokens`: what it may ask of `/v1/messages`, without how to answer.
 *
 * Source: Anthropic API reference, "Count tokens in a Message".
 *
 * @module
 */
import { toolInstructions } from "../answer/answer-form.ts";
import type { Asked } from "../conversations/generate.ts";
import { admitParameters, type ParameterTable } from "../request/parameters.ts";
import { saidOf } from "./message-blocks.ts";
import { answerFormOf, messagesParameters, messagesSchema } from "./messages-parameters.ts";

const names = [
  "model",
  "messages",
  "system",
  "tools",
  "tool_choice",
  "output_config",
  "cache_control",
  "thinking",
  "speed",
  "billing_policy",
  "compaction",
  "context_management",
  "mcp_servers",
  "output_format",
  "user_profile_id",
  "workspace_id",
] as const;

export const countParameters: ParameterTable = Object.fromEntries(
  names.map((name) => [name, messagesParameters[name]]),
);

const schema = messagesSchema.pick({
  model: true,
  messages: true,
  system: true,
  tools: true,
  tool_choice: true,
  output_config: true,
  cache_control: true,
});

/** @throws `ApiError` 400 */
export function parseCountRequest(
  untrusted: Readonly<Record<string, unknown>>,
): Pick<Asked, "model" | "messages" | "scope"> {
  const body = admitParameters(countParameters, schema, untrusted);
  const { tools } = answerFormOf(body);
  return {
    model: body.model,
    messages: saidOf(body, toolInstructions(tools)),
    scope: JSON.stringify([undefined]),
  };
}
