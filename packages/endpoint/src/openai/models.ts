/**
 * `GET /v1/models`: what the node has.
 *
 * Source: OpenAI API reference, "Models".
 *
 * @module
 */
import type { Model } from "@phantoma/protocol";
import type { Exchange } from "../exchange/exchange.ts";

export async function listModels(exchange: Exchange): Promise<void> {
  exchange.node.forgetModels();
  const models = await exchange.node.models();
  exchange.answer({ object: "list", data: models.map(modelObject) });
}

export async function showModel(exchange: Exchange, untrusted: string): Promise<void> {
  exchange.answer(modelObject(await exchange.node.model(decoded(untrusted))));
}

/** No time is known of a model, and clients want a number. */
function modelObject({ name }: Model): object {
  return { id: name, object: "model", created: 0, owned_by: "you" };
}

function decoded(untrusted: string): string {
  try {
    return decodeURIComponent(untrusted);
  } catch {
    return untrusted;
  }
}
