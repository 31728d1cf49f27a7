/**
 * The model files that the tests of this folder run on, and short ways to ask them. Not part of the worker.
 *
 * @module
 */
import { join } from "node:path";

import { makeModel, modelFileName, shapes } from "../../../../tools/make-model/make-model.ts";
import { Engine } from "./engine.ts";
import type { ChatMessage, Sampling, TurnResult } from "./engine.ts";

/** Makes the model on first use; `tiny` answers noise and never ends, `echo` repeats its prompt. */
export async function testModel(name: "tiny" | "echo"): Promise<string> {
  const shape = shapes[name]();
  const path = join(import.meta.dirname, "../../../../.cache/models", modelFileName(shape, SEED));
  return (await makeModel({ path, shape, seed: SEED })).path;
}

export async function load(model: "tiny" | "echo", contextTokens: number): Promise<Engine> {
  return Engine.load({ modelPath: await testModel(model), contextTokens, threads: 1, cores: 2 });
}

export interface Answer extends TurnResult {
  readonly text: string;
}

export async function ask(
  engine: Engine,
  history: readonly ChatMessage[],
  sampling: Sampling,
  signal: AbortSignal = new AbortController().signal,
  onPiece: (textSoFar: string, piece: string) => void = () => undefined,
): Promise<Answer> {
  let text = "";
  const result = await engine.answer(
    history,
    sampling,
    (piece) => {
      text += piece;
      onPiece(text, piece);
    },
    signal,
  );
  return { ...result, text };
}

/** Asks after a fixed other question, so that two calls find the same to reuse and do exactly the same. */
export async function askAnew(engine: Engine, sampling: Sampling): Promise<Answer> {
  await ask(engine, [user("Z")], { maxTokens: 1 });
  return ask(engine, [user("Tell me a story.")], sampling);
}

export function user(text: string): ChatMessage {
  return { role: "user", text };
}

export function assistant(text: string): ChatMessage {
  return { role: "assistant", text };
}

const SEED = 1;
