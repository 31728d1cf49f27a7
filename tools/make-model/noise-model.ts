/**
 * A llama model of seeded random weights in Q8_0 that answers printable ASCII and practically never ends.
 *
 * Dimension 0 of the residual stream is a constant: the embedding sets it, no layer writes to it (the first rows
 * of the two output projections are zero), and the output matrix reads it, so its first column is a bias on each
 * token. Dimensions 1 to 31 are zero in the embedding, because a Q8_0 block of 32 shares one scale.
 *
 * Source: llama.cpp src/llama-model.cpp, LLM_ARCH_LLAMA, for tensor names and shapes; ggml `block_q8_0`.
 *
 * @module
 */
import type { Metadata, MetadataValue, Tensor } from "./gguf-writer.ts";
import { BYTE_VOCABULARY, CHATML_TEMPLATE, LETTERS, tokenizerMetadata } from "./tokenizer.ts";
import { RandomWords } from "./random-words.ts";

/** All widths are in elements and multiples of 32, the Q8_0 block. */
export interface NoiseShape {
  readonly kind: "noise";
  /** First part of the file name. */
  readonly name: string;
  readonly vocabularySize: number;
  readonly width: number;
  readonly feedForwardWidth: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly contextTokens: number;
}

export function noiseMetadata(shape: NoiseShape): Metadata {
  return new Map<string, MetadataValue>([
    ["llama.vocab_size", { type: "u32", value: shape.vocabularySize }],
    ["llama.context_length", { type: "u32", value: shape.contextTokens }],
    ["llama.embedding_length", { type: "u32", value: shape.width }],
    ["llama.block_count", { type: "u32", value: shape.layers }],
    ["llama.feed_forward_length", { type: "u32", value: shape.feedForwardWidth }],
    ["llama.attention.head_count", { type: "u32", value: shape.heads }],
    ["llama.attention.head_count_kv", { type: "u32", value: shape.keyValueHeads }],
    ["llama.attention.layer_norm_rms_epsilon", { type: "f32", value: 1e-5 }],
    ["llama.rope.dimension_count", { type: "u32", value: shape.width / shape.heads }],
    ["llama.rope.freq_base", { type: "f32", value: 10_000 }],
    ...tokenizerMetadata(shape.vocabularySize, CHATML_TEMPLATE),
  ]);
}

/** @param seed the same seed and shape give the same bytes */
export function noiseTensors(shape: NoiseShape, seed: number): Tensor[] {
  const { width, feedForwardWidth, vocabularySize } = shape;
  const keyValueWidth = (width / shape.heads) * shape.keyValueHeads;
  const tensors: Tensor[] = [];
  /** `gain` 1 keeps the variance of what goes in. */
  const matrix = (name: string, columns: number, rows: number, gain: number, edge?: Edge): void => {
    const deviation = gain / Math.sqrt(columns);
    const stream = `${seed}/${edge?.sameNoiseAs ?? name}`;
    const chunks = () => noiseChunks(new RandomWords(stream), columns, rows, deviation, edge);
    tensors.push({ name, dimensions: [columns, rows], type: "Q8_0", chunks });
  };
  const norm = (name: string): void => {
    const ones = () => [new Uint8Array(new Float32Array(width).fill(1).buffer)];
    tensors.push({ name, dimensions: [width], type: "F32", chunks: ones });
  };

  matrix("token_embd.weight", width, vocabularySize, Math.sqrt(width), { firstBlock: () => 8 });
  for (let layer = 0; layer < shape.layers; layer++) {
    const block = `blk.${layer}`;
    norm(`${block}.attn_norm.weight`);
    // Gains above 1 sharpen attention and let the past outweigh the last token, so answers do not soon repeat.
    matrix(`${block}.attn_q.weight`, width, width, 2);
    matrix(`${block}.attn_k.weight`, width, keyValueWidth, 2);
    matrix(`${block}.attn_v.weight`, width, keyValueWidth, 1);
    matrix(`${block}.attn_output.weight`, width, width, 2, { zeroRows: 32 });
    norm(`${block}.ffn_norm.weight`);
    matrix(`${block}.ffn_gate.weight`, width, feedForwardWidth, 1);
    matrix(`${block}.ffn_up.weight`, width, feedForwardWidth, 1);
    matrix(`${block}.ffn_down.weight`, feedForwardWidth, width, 2, { zeroRows: 32 });
  }
  norm("output_norm.weight");
  // Minus a token's own embedding: the last token is never the likeliest next one, so answers do not get stuck.
  const against = { sameNoiseAs: "token_embd.weight", firstBlock: tokenBias };
  matrix("output.weight", width, vocabularySize, -2, against);
  return tensors;
}

/** What sets a matrix apart from independent noise. */
interface Edge {
  /** The matrix whose random stream this one uses too; default its own. */
  readonly sameNoiseAs?: string;
  /** Rows at the start that are zero. */
  readonly zeroRows?: number;
  /** The first block of each row becomes this number and 31 zeros. */
  readonly firstBlock?: (row: number) => number;
}

/** The constant is about 2 when the output matrix reads it, so -20 is some 13 deviations of a logit: never chosen. */
function tokenBias(token: number): number {
  if (token >= BYTE_VOCABULARY) return 0;
  if (token === 0x20) return 0.4;
  if (token < 0x20 || token > 0x7e) return -20;
  const rank = LETTERS.indexOf(String.fromCharCode(token));
  return rank < 0 ? -1.5 : 0.4 - 0.03 * rank;
}

const BLOCK_ELEMENTS = 32;
/** A half-precision scale, then 32 signed bytes. */
const BLOCK_BYTES = 34;
/** About 1 MiB in memory at a time. */
const CHUNK_BYTES = 1 << 20;
/** Standard deviation of the odd numbers from -127 to 127. */
const ODD_BYTE_DEVIATION = Math.sqrt((128 ** 2 - 1) / 3);

/** Yields whole rows of Q8_0 blocks, in one buffer that is used again for each chunk. */
function* noiseChunks(
  random: RandomWords,
  columns: number,
  rows: number,
  deviation: number,
  edge: Edge = {},
): Generator<Uint8Array> {
  const rowBytes = (columns / BLOCK_ELEMENTS) * BLOCK_BYTES;
  const rowsPerChunk = Math.min(rows, Math.max(1, Math.floor(CHUNK_BYTES / rowBytes)));
  const words = new Uint32Array(Math.ceil((rowsPerChunk * rowBytes) / 4));
  const bytes = Buffer.from(words.buffer);
  const scale = halfBits(deviation / ODD_BYTE_DEVIATION);

  for (let row = 0; row < rows; row += rowsPerChunk) {
    const count = Math.min(rowsPerChunk, rows - row);
    random.drawInto(words);
    // Odd bytes have a mean of exactly 0 and leave out -128, which some kernels cannot negate.
    for (let index = 0; index < words.length; index++)
      words[index] = (words[index] ?? 0) | 0x01010101;
    for (let at = 0; at < count * rowBytes; at += BLOCK_BYTES) bytes.writeUInt16LE(scale, at);
    for (let index = 0; index < count; index++) {
      const rowAt = index * rowBytes;
      if (row + index < (edge.zeroRows ?? 0)) bytes.fill(0, rowAt, rowAt + rowBytes);
      else if (edge.firstBlock) writeLoneNumber(bytes, rowAt, edge.firstBlock(row + index));
    }
    yield bytes.subarray(0, count * rowBytes);
  }
}

function writeLoneNumber(bytes: Buffer, at: number, value: number): void {
  bytes.fill(0, at, at + BLOCK_BYTES);
  bytes.writeUInt16LE(halfBits(value / 127), at);
  bytes.writeInt8(127, at + 2);
}

/** The bits of a half-precision float, for 0 and a magnitude from 6.2e-5 to 65504, rounded to nearest. */
function halfBits(value: number): number {
  if (value === 0) return 0;
  const [single = 0] = new Uint32Array(new Float32Array([Math.abs(value)]).buffer);
  return ((single - ((127 - 15) << 23) + (1 << 12)) >>> 13) | (value < 0 ? 0x8000 : 0);
}
