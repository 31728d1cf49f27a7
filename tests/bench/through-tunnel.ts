/**
 * The same questions asked through a node: every process, every seal, the network of this machine.
 *
 * @module
 */
import { Conversation } from "@phantoma/client";
import type { NodeUnderTest } from "../node-under-test.ts";
import type { Generation } from "./in-process.ts";

export interface TunnelGeneration extends Generation {
  /** From the turn's arrival in the worker to its first token, by the worker's own clock. */
  readonly workerFirstTokenMs: number;
  /** When all text had arrived here. */
  readonly finishedAt: number;
}

/** @param name as in the node's list of models */
export function modelDigest({ node }: NodeUnderTest, name: string): Uint8Array {
  const model = node.models.find((model) => model.name.startsWith(name));
  if (!model) throw new Error(`the node has no model ${name}`);
  return Buffer.from(model.digest, "hex");
}

export async function openConversation(
  { node, device }: NodeUnderTest,
  model: Uint8Array,
  options: { readonly steady?: boolean; readonly port?: number } = {},
): Promise<Conversation> {
  const { steady = true, port } = options;
  const url = port === undefined ? node.profile.url : `wss://127.0.0.1:${port}`;
  const profile = { ...node.profile, url };
  return Conversation.open({ profile, device, model, steady });
}

/** Asks with nothing said before and waits until a steady answer is over too. */
export async function answer(
  conversation: Conversation,
  text: string,
  maxTokens: number,
): Promise<TunnelGeneration> {
  const startedAt = performance.now();
  let firstTextMs = NaN;
  let generation: TunnelGeneration | undefined;
  const request = { text, keep: 0, sampling: { temperature: 0, maxTokens } };
  for await (const event of conversation.turn(request)) {
    if (event.type === "delta" && Number.isNaN(firstTextMs))
      firstTextMs = performance.now() - startedAt;
    if (event.type !== "finish") continue;
    const { usage, timings } = event.finish;
    const finishedAt = performance.now();
    generation = {
      firstTextMs,
      totalMs: finishedAt - startedAt,
      finishedAt,
      promptTokens: usage.promptTokens - usage.reusedTokens,
      tokens: usage.completionTokens,
      workerFirstTokenMs: timings.firstTokenMs ?? NaN,
    };
  }
  return generation!;
}
