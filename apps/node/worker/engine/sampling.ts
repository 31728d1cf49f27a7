/**
 * How the next token is chosen: what a caller may ask, and what llama.cpp's sampler gets.
 *
 * @module
 */
import { randomInt } from "node:crypto";

import { EngineError } from "./engine-error.ts";
import type {
  AddonGrammarEvaluationState,
  AddonModel,
  LlamaAddon,
  SamplerConfig,
} from "./llama-addon.ts";

export interface Sampling {
  /** 0 always takes the likeliest token. */
  readonly temperature?: number;
  readonly topP?: number;
  /** 0 for all tokens. */
  readonly topK?: number;
  readonly minP?: number;
  /** From 0 to {@link LAST_SEED}; random when absent. */
  readonly seed?: number;
  /** 1 for none. */
  readonly repeatPenalty?: number;
  readonly maxTokens?: number;
  /** The answer ends before the first of these. */
  readonly stop?: readonly string[];
  /** GBNF, llama.cpp's own notation: no answer is of another form. */
  readonly grammar?: string;
}

/** llama.cpp takes 2^32 - 1 as "choose a random seed". */
export const LAST_SEED = 2 ** 32 - 2;

/** @throws {@link EngineError} `ERR_SAMPLING` */
export function checkSampling(sampling: Sampling): void {
  const { temperature = 0, topP = 1, topK = 0, minP = 0, repeatPenalty = 1 } = sampling;
  const { seed = 0, maxTokens = 1, stop = [] } = sampling;
  requireRange("temperature", temperature, 0, 100);
  requireRange("topP", topP, 0, 1);
  requireRange("minP", minP, 0, 1);
  requireRange("repeatPenalty", repeatPenalty, 0.01, 100);
  requireInteger("topK", topK, 0);
  requireInteger("seed", seed, 0, LAST_SEED);
  requireInteger("maxTokens", maxTokens, 1);
  if (stop.includes("")) throw new EngineError("ERR_SAMPLING", "a stop string is empty");
}

/**
 * @param sampling checked
 * @param recommended the temperature that the model's file asks for
 */
export function samplerConfig(sampling: Sampling, recommended?: number): SamplerConfig {
  return {
    temperature: sampling.temperature ?? recommended ?? DEFAULT.temperature,
    topK: sampling.topK ?? DEFAULT.topK,
    topP: sampling.topP ?? DEFAULT.topP,
    minP: sampling.minP ?? DEFAULT.minP,
    seed: sampling.seed ?? randomInt(LAST_SEED + 1),
  };
}

/**
 * The beginning of an answer in the caller's grammar; `undefined` where any text is one.
 *
 * A worker's standard error leads nowhere, which is why a grammar may be given to llama.cpp unread.
 *
 * @throws {@link EngineError} `ERR_SAMPLING`
 */
export function grammarStart(
  addon: LlamaAddon,
  model: AddonModel,
  { grammar }: Sampling,
): AddonGrammarEvaluationState | undefined {
  if (grammar === undefined) return undefined;
  try {
    const parsed = new addon.AddonGrammar(grammar, { addonExports: addon });
    return new addon.AddonGrammarEvaluationState(model, parsed);
  } catch (cause) {
    throw new EngineError("ERR_SAMPLING", "llama.cpp cannot read the grammar", { cause });
  }
}

/**
 * Adds what changes from token to token: the repeat penalty looks at the end of the answer so far.
 *
 * @param answer the tokens of the answer so far
 */
export function withRepeatPenalty(
  config: SamplerConfig,
  sampling: Sampling,
  answer: readonly number[],
): SamplerConfig {
  const { repeatPenalty = 1 } = sampling;
  if (repeatPenalty === 1) return config;
  const repeatPenaltyTokens = Uint32Array.from(answer.slice(-REPEAT_WINDOW_TOKENS));
  return { ...config, repeatPenalty, repeatPenaltyTokens };
}

/** llama.cpp's own defaults, so that a model answers here as it does elsewhere. */
const DEFAULT = { temperature: 0.8, topK: 40, topP: 0.95, minP: 0.05 } as const;

/** As llama.cpp's `repeat_last_n`. */
const REPEAT_WINDOW_TOKENS = 64;

function requireRange(name: string, value: number, least: number, most: number): void {
  if (value >= least && value <= most) return;
  throw new EngineError("ERR_SAMPLING", `${name} has to be from ${least} to ${most}`);
}

function requireInteger(name: string, value: number, least: number, most = 2 ** 31 - 1): void {
  if (!Number.isInteger(value))
    throw new EngineError("ERR_SAMPLING", `${name} has to be a whole number`);
  requireRange(name, value, least, most);
}
