/**
 * Parameters that Anthropic's client sends as headers: they are refused by their names, like those of the body.
 *
 * @module
 */
import type { Exchange } from "../exchange/exchange.ts";

const NAMES: Readonly<Record<string, string>> = {
  "anthropic-user-profile-id": "user_profile_id",
  "anthropic-workspace-id": "workspace_id",
};

/** @throws `ApiError` */
export async function bodyWithHeaders(exchange: Exchange): Promise<Record<string, unknown>> {
  const body = await exchange.body();
  for (const [header, name] of Object.entries(NAMES))
    if (exchange.headers[header] !== undefined) body[name] = exchange.headers[header];
  return body;
}
