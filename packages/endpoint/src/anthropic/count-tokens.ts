/**
 * `POST /v1/messages/count_tokens`: how many tokens a conversation is, as the model gets it.
 *
 * Source: Anthropic API reference, "Count tokens in a Message".
 *
 * @module
 */
import type { Exchange } from "../exchange/exchange.ts";
import { parseCountRequest } from "./count-parameters.ts";
import { bodyWithHeaders } from "./header-parameters.ts";

export async function countTokens(exchange: Exchange): Promise<void> {
  const request = parseCountRequest(await bodyWithHeaders(exchange));
  exchange.answer({ input_tokens: await exchange.countTokens(request) });
}
