/**
 * The options that several commands share, parsed once and strictly.
 *
 * @module
 */
import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { MAX_TOKENS_PER_ANSWER, type ConversationOptions } from "@phantoma/client";
import { UsageError } from "./output.ts";

/** What every command takes. */
export const globalOptions = {
  json: { type: "boolean", default: false },
  home: { type: "string" },
} as const satisfies ParseArgsOptionsConfig;

export const commonOptions = {
  ...globalOptions,
  node: { type: "string" },
} as const satisfies ParseArgsOptionsConfig;

/** How the model chooses tokens, and what kind of conversation it is. */
export const chatOptions = {
  model: { type: "string" },
  mode: { type: "string", default: "conversation" },
  system: { type: "string" },
  temperature: { type: "string" },
  "top-p": { type: "string" },
  "top-k": { type: "string" },
  seed: { type: "string" },
  "max-tokens": { type: "string" },
  stop: { type: "string", multiple: true },
} as const satisfies ParseArgsOptionsConfig;

export type ChatValues = {
  readonly [K in keyof typeof chatOptions]?: (typeof chatOptions)[K] extends { multiple: true }
    ? string[]
    : string;
};

type Turn = Parameters<import("@phantoma/client").Conversation["turn"]>[0];

/** @throws {@link UsageError} instead of node's own error */
export function parse<const T extends ParseArgsOptionsConfig>(args: string[], options: T) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    // Node adds how to write a text that begins with a dash, whatever was meant.
    throw new UsageError((error as Error).message.replace(/\. To specify .*/s, ""));
  }
}

/** A longer answer is asked for with --max-tokens; without any limit a model may never end. */
const DEFAULT_MAX_TOKENS = 1024;

/** What the protocol admits: a number out of it is refused before a worker is asked for one. */
const numbers = {
  temperature: { from: 0, to: 5, isWhole: false },
  "top-p": { from: 0, to: 1, isWhole: false },
  "top-k": { from: 0, to: 100_000, isWhole: true },
  seed: { from: 0, to: 4_294_967_294, isWhole: true },
  "max-tokens": { from: 1, to: MAX_TOKENS_PER_ANSWER, isWhole: true },
} as const;

/** For the help of every command that samples. */
export const samplingHelp = [
  ...Object.entries(numbers).map(([name, { from, to }]) => `[--${name} ${from}..${to}]`),
  "[--stop TEXT ...]",
].join(" ");

/** @throws {@link UsageError} */
export function samplingOf(values: ChatValues): NonNullable<Turn["sampling"]> {
  return {
    maxTokens: number(values, "max-tokens") ?? DEFAULT_MAX_TOKENS,
    ...defined("temperature", number(values, "temperature")),
    ...defined("topP", number(values, "top-p")),
    ...defined("topK", number(values, "top-k")),
    ...defined("seed", number(values, "seed")),
    ...defined("stop", values.stop),
  };
}

export function modeOf({ mode }: ChatValues): NonNullable<ConversationOptions["mode"]> {
  if (mode === "conversation" || mode === "turn") return mode;
  throw new UsageError("--mode is conversation or turn");
}

export function historyOf({ system }: ChatValues): NonNullable<ConversationOptions["history"]> {
  return system === undefined ? [] : [{ role: "system", text: system }];
}

function number(values: ChatValues, name: keyof typeof numbers): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  const { from, to, isWhole } = numbers[name];
  const isOne = isWhole ? Number.isInteger(value) : Number.isFinite(value);
  if (text.trim() === "" || !isOne || value < from || value > to)
    throw new UsageError(`--${name} is a ${isWhole ? "whole " : ""}number from ${from} to ${to}`);
  return value;
}

function defined<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
}
