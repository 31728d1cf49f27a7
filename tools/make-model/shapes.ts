/**
 * The named shapes. A shape is a plain value: with a seed it decides every byte of the file.
 *
 * @module
 */
import type { EchoShape } from "./echo-model.ts";
import { MakeModelError } from "./make-model-error.ts";
import type { NoiseShape } from "./noise-model.ts";
import { BYTE_VOCABULARY } from "./tokenizer.ts";

export type Shape = NoiseShape | EchoShape;

/** Each name makes its shape; called without an option it makes the default. */
export const shapes = { tiny: tinyShape, large: largeShape, echo: echoShape } as const;

/** About 3 MB of noise, over 1,000 tokens a second on one thread: for tests. */
function tinyShape(): NoiseShape {
  return {
    kind: "noise",
    name: "tiny",
    vocabularySize: BYTE_VOCABULARY,
    width: 256,
    feedForwardWidth: 512,
    layers: 4,
    heads: 4,
    keyValueHeads: 2,
    contextTokens: 8192,
  };
}

/**
 * Noise in the proportions of a small real model, so that decoding is bound by memory: for benchmarks.
 *
 * @param sizeMb size of the file in 10^6 bytes, from 100 to 8,000; the file comes within 1 % of it
 * @throws {@link MakeModelError} `ERR_OPTION`
 */
function largeShape({ sizeMb = DEFAULT_SIZE_MB }: { readonly sizeMb?: number } = {}): NoiseShape {
  requireInteger("--size-mb", sizeMb, 100, 8_000);
  const vocabularySize = 32_000;
  const width = sizeMb < 300 ? 1024 : 2048;
  const keyValueWidth = width / 8;
  const attention = 2 * width * width + 2 * width * keyValueWidth;
  // The tokens and merges take 1.1 MB; a Q8_0 weight takes 34/32 bytes.
  const layersWeights = ((sizeMb - 1.1) * 1e6 * 32) / 34 - 2 * vocabularySize * width;
  const layers = Math.round(layersWeights / (attention + 3 * width * 2.75 * width));
  // The feed-forward width, 2.75 times the width in most models, takes up what rounding the layers left over.
  const feedForwardWidth = Math.round((layersWeights / layers - attention) / (3 * width) / 32) * 32;
  return {
    kind: "noise",
    name: sizeMb === DEFAULT_SIZE_MB ? "large" : `large-${sizeMb}mb`,
    vocabularySize,
    width,
    feedForwardWidth,
    layers,
    heads: width / 64,
    keyValueHeads: keyValueWidth / 64,
    contextTokens: 8192,
  };
}

/**
 * Repeats its prompt; see `echo-model.ts`.
 *
 * @param periodTokens from 16 to 1,024
 * @throws {@link MakeModelError} `ERR_OPTION`
 */
function echoShape({
  periodTokens = DEFAULT_PERIOD_TOKENS,
}: { readonly periodTokens?: number } = {}): EchoShape {
  requireInteger("--period", periodTokens, 16, 1024);
  const name = periodTokens === DEFAULT_PERIOD_TOKENS ? "echo" : `echo-${periodTokens}`;
  return { kind: "echo", name, periodTokens };
}

/** @throws {@link MakeModelError} `ERR_OPTION` */
export function requireInteger(option: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  const message = `${option} is a whole number from ${least} to ${most}, not ${value}`;
  throw new MakeModelError("ERR_OPTION", message);
}

const DEFAULT_SIZE_MB = 500;
const DEFAULT_PERIOD_TOKENS = 96;
