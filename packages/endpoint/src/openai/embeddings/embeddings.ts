/**
 * `POST /v1/embeddings`: where texts lie in a model's space. Each request has a worker of its own, which ends with it.
 *
 * Source: OpenAI API reference, "The embedding object".
 *
 * @module
 */
import type { Exchange } from "../../exchange/exchange.ts";
import { parseEmbeddingsRequest } from "./embeddings-parameters.ts";

export async function embeddings(exchange: Exchange): Promise<void> {
  const { model: asked, texts, isBase64 } = parseEmbeddingsRequest(await exchange.body());
  const { model, conversation } = await exchange.open(asked);
  const data: object[] = [];
  let total = 0;
  try {
    for (const [index, text] of texts.entries()) {
      const { tokens, vector } = await conversation.embed(text);
      total += tokens;
      const embedding = isBase64 ? base64Of(vector) : [...vector];
      data.push({ object: "embedding", index, embedding });
    }
  } finally {
    void conversation.end();
  }
  const usage = { prompt_tokens: total, total_tokens: total };
  exchange.answer({ object: "list", data, model: model.name, usage });
}

/** 32-bit floats, little-endian. */
function base64Of(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * Float32Array.BYTES_PER_ELEMENT);
  for (const [index, value] of vector.entries())
    bytes.writeFloatLE(value, index * Float32Array.BYTES_PER_ELEMENT);
  return bytes.toString("base64");
}
