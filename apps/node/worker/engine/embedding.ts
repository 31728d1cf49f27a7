/**
 * Where a text lies in a model's space: one evaluation in a context of its own, and nothing of it stays.
 *
 * @module
 */
import { EngineError, PromptTooLongError } from "./engine-error.ts";
import type { LoadedModel } from "./loaded-model.ts";

export interface Embedding {
  readonly tokens: number;
  /** Of length 1. */
  readonly vector: Float32Array;
}

/** @throws {@link EngineError} `ERR_PROMPT_TOO_LONG`, `ERR_OUT_OF_MEMORY` or `ERR_EVALUATION` */
export async function embedText(loaded: LoadedModel, text: string): Promise<Embedding> {
  const { addon, model, contextTokens, threads } = loaded;
  const tokens = tokensOf(loaded, text);
  if (tokens.length > contextTokens) throw new PromptTooLongError(tokens.length, contextTokens);
  const context = new addon.AddonContext(model, {
    contextSize: tokens.length,
    // Some models take the mean over all tokens, which have to be in one batch for it.
    batchSize: tokens.length,
    sequences: 1,
    flashAttention: "auto",
    swaFullCache: true,
    threads,
    embeddings: true,
  });
  if (!(await context.init()))
    throw new EngineError("ERR_OUT_OF_MEMORY", "llama.cpp could not make a context");
  try {
    context.initBatch(tokens.length);
    context.addToBatch(0, 0, tokens, Uint32Array.of(tokens.length - 1));
    await context.decodeBatch();
    const vector = unitVector(context.getEmbedding(tokens.length));
    return { tokens: tokens.length, vector };
  } catch (cause) {
    if (cause instanceof EngineError) throw cause;
    throw new EngineError("ERR_EVALUATION", "llama.cpp could not evaluate a text", { cause });
  } finally {
    tokens.fill(0);
    await context.dispose();
  }
}

/** As texts of this model begin and end. */
function tokensOf(
  { model, tokenizer, longestTokenBytes, contextTokens }: LoadedModel,
  text: string,
) {
  // Cutting up 10 MB of text takes seconds; that it is too long shows at once.
  const least = Math.ceil(Buffer.byteLength(text) / longestTokenBytes);
  if (least > contextTokens) throw new PromptTooLongError(least, contextTokens);
  const { begin } = tokenizer;
  const content = tokenizer.tokens(text, "content", true);
  const isBegun = begin === undefined || content[0] === begin;
  const end = model.shouldAppendEosToken() ? [model.tokenEos()] : [];
  return Uint32Array.from([...(isBegun ? [] : [begin]), ...content, ...end]);
}

function unitVector(values: Float64Array): Float32Array {
  const length = Math.hypot(...values);
  if (!(length > 0) || !Number.isFinite(length))
    throw new EngineError("ERR_EVALUATION", "the model puts this text nowhere");
  return Float32Array.from(values, (value) => value / length);
}
