/**
 * A model file, opened and ready: weights, context, tokenizer, template, threads.
 *
 * @module
 */
import { basename } from "node:path";

import type { StopString } from "./answer-text.ts";
import { calibrateThreads } from "./calibrate-threads.ts";
import { ChatTemplate } from "./chat-template.ts";
import { EngineError } from "./engine-error.ts";
import { readGgufMetadata } from "./gguf-metadata.ts";
import { loadLlamaAddon } from "./llama-addon.ts";
import type { AddonContext, AddonModel, LlamaAddon } from "./llama-addon.ts";
import { TokenCache } from "./token-cache.ts";
import { Tokenizer } from "./tokenizer.ts";

export interface LoadOptions {
  readonly modelPath: string;
  /** Prompt and answer together. */
  readonly contextTokens: number;
  /** `calibrate` measures up to `cores - 1` threads. */
  readonly threads: number | "calibrate";
  /** Of this machine. */
  readonly cores: number;
  readonly onProgress?: (loadedFraction: number) => void;
}

export interface LoadedModel {
  readonly name: string;
  readonly addon: LlamaAddon;
  readonly model: AddonModel;
  readonly context: AddonContext;
  readonly cache: TokenCache;
  readonly tokenizer: Tokenizer;
  readonly template: ChatTemplate;
  readonly turnEnd: TurnEndSigns;
  readonly threads: number;
  readonly contextTokens: number;
  /** See {@link GgufMetadata}. */
  readonly longestTokenBytes: number;
  readonly temperature: number | undefined;
}

/** How the template ends an answer, besides the tokens that the model itself knows as its end. */
export interface TurnEndSigns {
  readonly tokens: ReadonlySet<number>;
  readonly strings: readonly StopString[];
}

/** @throws {@link EngineError} `ERR_ENGINE_MISSING`, `ERR_MODEL_UNUSABLE` or `ERR_OUT_OF_MEMORY` */
export async function loadModel(options: LoadOptions): Promise<LoadedModel> {
  const metadata = readGgufMetadata(options.modelPath);
  const addon = await loadLlamaAddon();
  const model = await openModel(addon, options);
  const batchTokens = batchTokensFor(model.getModelSize());
  const contextTokens = Math.min(options.contextTokens, model.getTrainContextSize());
  const isMeasured = options.threads === "calibrate";
  const threads = options.threads === "calibrate" ? 1 : options.threads;
  const context = await openContext(addon, model, { contextTokens, batchTokens, threads });
  const cache = new TokenCache(context, contextTokens, batchTokens);
  await proveItGenerates(addon, model, cache);
  const tokenizer = new Tokenizer(model);
  const template = ChatTemplate.choose(addon, metadata.chatTemplate, tokenizer);
  return {
    name: metadata.name ?? basename(options.modelPath),
    addon,
    model,
    context,
    cache,
    tokenizer,
    template,
    turnEnd: turnEndSigns(template.turnEnd(), tokenizer),
    threads: isMeasured ? await calibrateThreads(context, ANY_TOKEN, options.cores) : threads,
    contextTokens,
    longestTokenBytes: metadata.longestTokenBytes,
    temperature: metadata.temperature,
  };
}

async function openModel(addon: LlamaAddon, options: LoadOptions): Promise<AddonModel> {
  let cause: unknown;
  try {
    const { onProgress } = options;
    const model = new addon.AddonModel(options.modelPath, {
      addonExports: addon,
      gpuLayers: 0,
      // All workers share the one copy in the page cache; nothing is locked, so the kernel may drop it.
      useMmap: true,
      useMlock: false,
      ...(onProgress && { onLoadProgress: onProgress }),
    });
    if (await model.init()) return model;
  } catch (error) {
    cause = error;
  }
  throw new EngineError("ERR_MODEL_UNUSABLE", "llama.cpp does not take this model file", { cause });
}

async function openContext(
  addon: LlamaAddon,
  model: AddonModel,
  size: { contextTokens: number; batchTokens: number; threads: number },
): Promise<AddonContext> {
  let cause: unknown;
  try {
    const context = new addon.AddonContext(model, {
      contextSize: size.contextTokens,
      batchSize: size.batchTokens,
      sequences: 1,
      flashAttention: "auto",
      // A sliding window would throw away what the next turn wants to reuse.
      swaFullCache: true,
      threads: size.threads,
    });
    if (await context.init()) return context;
  } catch (error) {
    cause = error;
  }
  await model.dispose();
  throw new EngineError("ERR_OUT_OF_MEMORY", "llama.cpp could not make a context", { cause });
}

/** Some files load and still make no text (embedding models). It also warms the worker up: a first token is slower. */
async function proveItGenerates(
  addon: LlamaAddon,
  model: AddonModel,
  cache: TokenCache,
): Promise<void> {
  const sampler = new addon.AddonSampler(model);
  try {
    await cache.append([ANY_TOKEN]);
    sampler.applyConfig({ temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 });
    await cache.sample(sampler);
    cache.clear();
  } catch (cause) {
    throw new EngineError("ERR_MODEL_UNUSABLE", "the model makes no text", { cause });
  } finally {
    sampler.dispose();
  }
}

function turnEndSigns(words: string | undefined, tokenizer: Tokenizer): TurnEndSigns {
  const [first] = words === undefined ? [] : tokenizer.tokens(words, "template", false);
  if (words === undefined || first === undefined || tokenizer.isEnd(first)) {
    return { tokens: new Set(), strings: [] };
  }
  if (tokenizer.isControl(first)) return { tokens: new Set([first]), strings: [] };
  const text = words.trimEnd();
  return { tokens: new Set(), strings: text === "" ? [] : [{ text, from: "template" }] };
}

/**
 * A turn can be stopped only between two batches, so a batch of a large model is small: about 0.3 s on one thread.
 * It depends on the file alone and never on a clock, because the size of a batch shows in the last bits of its
 * results, and the same seed has to give the same text.
 */
function batchTokensFor(modelBytes: number): number {
  const tokens = Math.floor(BATCH_TOKEN_BYTES / modelBytes);
  return Math.min(Math.max(tokens, MIN_BATCH_TOKENS), MAX_BATCH_TOKENS);
}

/** Measured: 32 tokens of a 500 MB model take 0.3 s on one thread of a small server. */
const BATCH_TOKEN_BYTES = 32 * 500e6;

/** Fewer read the weights too often; 8 tokens of an 8 GB model are 1 s or more on one thread. */
const MIN_BATCH_TOKENS = 8;

/** More is no faster on a CPU, and takes memory in each worker. */
const MAX_BATCH_TOKENS = 64;

/** Every vocabulary has a token 0. */
const ANY_TOKEN = 0;
