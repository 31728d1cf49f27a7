/**
 * How a model chooses tokens, as programs ask for it.
 *
 * @module
 */
import { MAX_TOKENS_PER_ANSWER, type Sampling } from "@phantoma/protocol";
import { z } from "zod";

/** OpenAI's range where it has one, otherwise the node's. */
export const samplingSchemas = {
  maxTokens: z.int().min(1).max(MAX_TOKENS_PER_ANSWER).exactOptional(),
  temperature: z.number().min(0).max(2).exactOptional(),
  topP: z.number().min(0).max(1).exactOptional(),
  topK: z.int().min(0).max(100_000).exactOptional(),
  minP: z.number().min(0).max(1).exactOptional(),
  repeatPenalty: z.number().min(0.01).max(5).exactOptional(),
  seed: z.int().min(0).max(4_294_967_294).exactOptional(),
  stop: z
    .union([z.string().min(1).max(256), z.array(z.string().min(1).max(256)).max(16)])
    .exactOptional(),
};

/** What is left out stays out: the node has defaults, those of llama.cpp. */
export function samplingOf(asked: {
  readonly maxTokens?: number | undefined;
  readonly temperature?: number;
  readonly top_p?: number;
  readonly top_k?: number;
  readonly min_p?: number;
  readonly repeat_penalty?: number;
  readonly seed?: number;
  readonly stop?: string | readonly string[];
  readonly grammar?: string | undefined;
}): Sampling {
  return {
    ...defined("maxTokens", asked.maxTokens),
    ...defined("temperature", asked.temperature),
    ...defined("topP", asked.top_p),
    ...defined("topK", asked.top_k),
    ...defined("minP", asked.min_p),
    ...defined("repeatPenalty", asked.repeat_penalty),
    ...defined("seed", asked.seed),
    ...defined("grammar", asked.grammar),
    ...defined("stop", asked.stop === undefined ? undefined : [asked.stop].flat()),
  };
}

function defined<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
}
