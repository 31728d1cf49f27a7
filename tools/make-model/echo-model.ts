/**
 * A llama model whose weights are built by hand: every token it writes is the token PERIOD positions before it.
 * A test that wants a canary in an answer puts the canary in the prompt. It is not a language model.
 *
 *   embedding   one-hot of the byte, and a constant 1 in the next dimension
 *   attention   q and k read the constant only, so through RoPE a score depends on the distance alone:
 *               score(distance) = SHARPNESS * sum over frequencies f of cos((distance - (PERIOD - 1)) * f)
 *               v and the output projection copy the one-hot found there, one slice of 64 for each head
 *   feed        zero
 *   output      transposed one-hot; control tokens get a large negative bias, so the answer never ends by itself
 *
 * A position less than PERIOD from the start has nothing to copy, so the chat template begins with PERIOD dots.
 * A control token is embedded as a line feed, and is echoed as one.
 *
 * Source: llama.cpp ggml_rope_ext, mode NORM (pairs of neighbouring elements), for the layout of q and k.
 *
 * @module
 */
import type { Metadata, MetadataValue, Tensor } from "./gguf-writer.ts";
import { BYTE_VOCABULARY, isControl, tokenizerMetadata } from "./tokenizer.ts";

export interface EchoShape {
  readonly kind: "echo";
  /** First part of the file name. */
  readonly name: string;
  /** How many tokens back the next token is found. */
  readonly periodTokens: number;
}

export function echoMetadata({ periodTokens }: EchoShape): Metadata {
  return new Map<string, MetadataValue>([
    ["llama.vocab_size", { type: "u32", value: BYTE_VOCABULARY }],
    ["llama.context_length", { type: "u32", value: 16_384 }],
    ["llama.embedding_length", { type: "u32", value: WIDTH }],
    ["llama.block_count", { type: "u32", value: 1 }],
    ["llama.feed_forward_length", { type: "u32", value: FEED_FORWARD_WIDTH }],
    ["llama.attention.head_count", { type: "u32", value: HEADS }],
    ["llama.attention.head_count_kv", { type: "u32", value: HEADS }],
    ["llama.attention.layer_norm_rms_epsilon", { type: "f32", value: 1e-6 }],
    ["llama.rope.dimension_count", { type: "u32", value: HEAD_WIDTH }],
    ["llama.rope.freq_base", { type: "f32", value: ROPE_BASE }],
    ["phantoma.echo_period", { type: "u32", value: periodTokens }],
    ...tokenizerMetadata(BYTE_VOCABULARY, echoTemplate(periodTokens)),
  ]);
}

export function echoTensors({ periodTokens }: EchoShape): Tensor[] {
  const layer = "blk.0";
  return [
    matrix("token_embd.weight", WIDTH, BYTE_VOCABULARY, (token, column) => {
      const hot = isControl(token) ? LINE_FEED : token;
      return column === hot || column === CONSTANT ? 1 : 0;
    }),
    ones(`${layer}.attn_norm.weight`),
    matrix(`${layer}.attn_q.weight`, WIDTH, WIDTH, (row, column) => {
      if (column !== CONSTANT) return 0;
      const turn = (periodTokens - 1) * ropeFrequency(row);
      return (row % 2 === 0 ? Math.cos(turn) : -Math.sin(turn)) * (POINTER / NORMED);
    }),
    matrix(`${layer}.attn_k.weight`, WIDTH, WIDTH, (row, column) =>
      column === CONSTANT && row % 2 === 0 ? POINTER / NORMED : 0,
    ),
    matrix(`${layer}.attn_v.weight`, WIDTH, WIDTH, (row, column) =>
      row === column && row < BYTES ? 1 / NORMED : 0,
    ),
    matrix(`${layer}.attn_output.weight`, WIDTH, WIDTH, (row, column) =>
      row === column && row < BYTES ? COPY_GAIN : 0,
    ),
    ones(`${layer}.ffn_norm.weight`),
    matrix(`${layer}.ffn_gate.weight`, WIDTH, FEED_FORWARD_WIDTH, () => 0),
    matrix(`${layer}.ffn_up.weight`, WIDTH, FEED_FORWARD_WIDTH, () => 0),
    matrix(`${layer}.ffn_down.weight`, FEED_FORWARD_WIDTH, WIDTH, () => 0),
    ones("output_norm.weight"),
    matrix("output.weight", WIDTH, BYTE_VOCABULARY, (token, column) => {
      if (isControl(token)) return column === CONSTANT ? -1000 : 0;
      return column === token ? OUTPUT_GAIN : 0;
    }),
  ];
}

/** Only the messages' text, so that a prompt lies as near to the answer as it can; nothing follows the last one. */
function echoTemplate(periodTokens: number): string {
  return (
    ".".repeat(periodTokens) +
    "{% for message in messages %}" +
    "{% if message['role'] != 'assistant' %}{{ '\\n' }}{% endif %}{{ message['content'] }}" +
    "{% endfor %}"
  );
}

const BYTES = 256;
const LINE_FEED = 0x0a;
/** A width that every attention kernel of ggml has. */
const HEAD_WIDTH = 64;
/** Four heads copy the 256 bytes; the fifth makes room for the constant. */
const HEADS = 5;
const WIDTH = HEADS * HEAD_WIDTH;
/** The dimension that is 1 for every token. */
const CONSTANT = BYTES;
/** One Q8_0 block, should the file be quantised; the weights are zero. */
const FEED_FORWARD_WIDTH = 32;
/** Each token's embedding holds two ones, so RMSNorm makes them this. */
const NORMED = Math.sqrt(WIDTH / 2);
/**
 * With base 10 the 32 cosines sum to 32 at the one distance wanted, to 28.5 beside it, and to less than 14.1 at
 * any other distance up to 16,384; with the usual 10,000 the neighbour would have 30.9.
 */
const ROPE_BASE = 10;
/** Length of each pair of q and k. Squared and over sqrt(64) it is 12.5 per cosine: the neighbour gets e^-44. */
const POINTER = 10;
/** The copied byte is this against 1 for the token's own embedding. */
const COPY_GAIN = 64;
/** The copied byte's logit is about 70, every other about 1: no temperature up to 5 chooses another. */
const OUTPUT_GAIN = 4;

/** The rotary frequency of a row of q, in radians a position. */
function ropeFrequency(row: number): number {
  const pair = Math.floor((row % HEAD_WIDTH) / 2);
  return ROPE_BASE ** ((-2 * pair) / HEAD_WIDTH);
}

function matrix(
  name: string,
  columns: number,
  rows: number,
  weight: (row: number, column: number) => number,
): Tensor {
  const chunks = () => {
    const weights = new Float32Array(columns * rows);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        weights[row * columns + column] = weight(row, column);
      }
    }
    return [new Uint8Array(weights.buffer)];
  };
  return { name, dimensions: [columns, rows], type: "F32", chunks };
}

function ones(name: string): Tensor {
  const chunks = () => [new Uint8Array(new Float32Array(WIDTH).fill(1).buffer)];
  return { name, dimensions: [WIDTH], type: "F32", chunks };
}
