/**
 * llama.cpp as node-llama-cpp's prebuilt addon exports it: the part of its interface that this engine uses.
 *
 * The addon is loaded without the library around it. The library's modules (downloader, compiler, a fork that
 * tests the binary) have no business in a process that holds prompts and may not fork, and they make a
 * start ten times dearer. The interface is internal to the library, hence the exact version below.
 *
 * Source: node-llama-cpp 3.22.1, dist/bindings/AddonTypes.d.ts and llama/addon/.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

import { EngineError } from "./engine-error.ts";

/** Raise it only after reading what changed in `llama/addon/` of the new version. */
export const ADDON_VERSION = "3.22.1";

export interface LlamaAddon {
  readonly AddonModel: new (path: string, options: AddonModelOptions) => AddonModel;
  readonly AddonContext: new (model: AddonModel, options: AddonContextOptions) => AddonContext;
  readonly AddonSampler: new (model: AddonModel) => AddonSampler;
  /** @throws where llama.cpp cannot read the grammar, which it then prints on standard error */
  readonly AddonGrammar: new (
    grammar: string,
    options: { readonly addonExports: LlamaAddon },
  ) => AddonGrammar;
  readonly AddonGrammarEvaluationState: new (
    model: AddonModel,
    grammar: AddonGrammar,
  ) => AddonGrammarEvaluationState;
  readonly AddonJinjaRenderer: new (template: string) => AddonJinjaRenderer;
  setLoggerLogLevel(level: number): void;
  loadBackends(dir?: string): void;
  /** `undefined` before a backend is loaded, `false` for the CPU. */
  getGpuType(): string | false | undefined;
  init(): Promise<void>;
}

export interface AddonModelOptions {
  /** Keeps the addon alive as long as the model. */
  readonly addonExports: LlamaAddon;
  readonly gpuLayers: number;
  readonly useMmap: boolean;
  readonly useMlock: boolean;
  readonly onLoadProgress?: (loadedFraction: number) => void;
}

export interface AddonModel {
  /** @returns whether llama.cpp took the file */
  init(): Promise<boolean>;
  dispose(): Promise<void>;
  tokenize(text: string, readsControlTokens: boolean): Uint32Array;
  detokenize(tokens: Uint32Array, showsControlTokens: boolean): string;
  getTrainContextSize(): number;
  getModelSize(): number;
  /** -1 when the model has none; so for the other token getters. */
  tokenBos(): number;
  tokenEos(): number;
  getTokenString(token: number): string;
  getTokenAttributes(token: number): number;
  isEogToken(token: number): boolean;
  shouldPrependBosToken(): boolean;
  shouldAppendEosToken(): boolean;
}

export interface AddonContextOptions {
  readonly contextSize: number;
  readonly batchSize: number;
  readonly sequences: number;
  readonly flashAttention: "auto" | boolean;
  readonly swaFullCache: boolean;
  /** For prompts and for single tokens. */
  readonly threads: number;
  /** Keeps what {@link AddonContext.getEmbedding} gives. */
  readonly embeddings?: boolean;
}

export interface AddonContext {
  init(): Promise<boolean>;
  dispose(): Promise<void>;
  getThreads(): number;
  /** For prompts and for single tokens. */
  setThreads(threads: number): void;
  initBatch(tokens: number): void;
  /** @returns for each of `logitIndexes`, the number that {@link sampleToken} takes */
  addToBatch(
    sequence: number,
    firstPosition: number,
    tokens: Uint32Array,
    logitIndexes: Uint32Array,
  ): Uint32Array;
  decodeBatch(): Promise<void>;
  /** @returns -1 or nothing when no token could be chosen */
  sampleToken(batchLogitIndex: number, sampler: AddonSampler): Promise<number | undefined>;
  /**
   * The same, and what the sampler chose from: pairs of token and logit, those that were named and the `top` likeliest,
   * and the sum of all tokens' e^(logit - largest).
   */
  sampleToken(
    batchLogitIndex: number,
    sampler: AddonSampler,
    withProbabilities: false,
    withConfidence: false,
    logits: readonly [
      tokens: readonly number[],
      withLargest: false,
      withLeast: false,
      withChosen: false,
      top: number,
    ],
    withTotal: true,
  ): Promise<
    readonly [
      token: number,
      probabilities: undefined,
      confidence: undefined,
      logits: readonly number[] | undefined,
      total: number | undefined,
    ]
  >;
  /** Of the text that was evaluated, put together as the model's file says, or else of its last token. */
  getEmbedding(tokens: number): Float64Array;
  disposeSequence(sequence: number): void;
  /** @returns false when this kind of model cannot forget a part; then nothing was removed */
  removeTokenCellsFromSequence(sequence: number, start: number, end: number): boolean;
}

export interface AddonSampler {
  applyConfig(config: SamplerConfig): void;
  dispose(): void;
}

/** Opaque: nothing of it is called. */
export interface AddonGrammar {
  readonly grammar?: never;
}

/** How far an answer is in its grammar; the sampler moves it on with each token. */
export interface AddonGrammarEvaluationState {
  readonly state?: never;
}

export interface SamplerConfig {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly seed: number;
  readonly repeatPenalty?: number;
  readonly repeatPenaltyTokens?: Uint32Array;
  readonly grammarEvaluationState?: AddonGrammarEvaluationState;
}

export interface AddonJinjaRenderer {
  /** @throws what the template throws */
  render(variables: Readonly<Record<string, unknown>>): string;
}

/** `LLAMA_TOKEN_ATTR_CONTROL` of llama.h. */
export const CONTROL_TOKEN_ATTRIBUTE = 8;

let loaded: Promise<LlamaAddon> | undefined;

/**
 * Loads llama.cpp for this platform, once per process, CPU only and mute.
 *
 * @throws {@link EngineError} `ERR_ENGINE_MISSING`
 */
export function loadLlamaAddon(): Promise<LlamaAddon> {
  return (loaded ??= load());
}

async function load(): Promise<LlamaAddon> {
  const build = BUILDS[`${process.platform}-${process.arch}`];
  if (build === undefined)
    throw missing(`there is none for ${process.platform} on ${process.arch}`);
  const require = createRequire(import.meta.url);
  let binariesDir: string;
  let addon: LlamaAddon;
  try {
    const packageDir = join(dirname(require.resolve(`@node-llama-cpp/${build}`)), "..");
    const { version } = JSON.parse(readFileSync(join(packageDir, "package.json"), "utf8"));
    if (version !== ADDON_VERSION)
      throw missing(`version ${ADDON_VERSION} is needed, not ${version}`);
    binariesDir = join(packageDir, "bins", build);
    addon = require(join(binariesDir, "llama-addon.node"));
  } catch (cause) {
    if (cause instanceof EngineError) throw cause;
    throw missing("its package cannot be loaded", cause);
  }
  // Before anything else: a log line may quote a prompt. 0 lets no level through.
  addon.setLoggerLogLevel(0);
  addon.loadBackends();
  if (addon.getGpuType() === undefined) addon.loadBackends(binariesDir);
  if (addon.getGpuType() === undefined) throw missing("it has no code for this processor");
  await addon.init();
  return addon;
}

/** Ours → the package of node-llama-cpp that carries the addon. */
const BUILDS: Readonly<Record<string, string>> = {
  "linux-x64": "linux-x64",
  "linux-arm64": "linux-arm64",
  "darwin-arm64": "mac-arm64-metal",
};

function missing(reason: string, cause?: unknown): EngineError {
  return new EngineError("ERR_ENGINE_MISSING", `llama.cpp: ${reason}`, { cause });
}
