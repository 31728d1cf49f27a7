/**
 * The baseline: node-llama-cpp's public interface in this very process, without any node.
 *
 * @module
 */
import { getLlama, LlamaChat, type Llama, type LlamaContextSequence } from "node-llama-cpp";

export interface Generation {
  readonly firstTextMs: number;
  readonly totalMs: number;
  /** Tokens of the prompt that had to be evaluated; the rest was in the KV cache. */
  readonly promptTokens: number;
  readonly tokens: number;
}

/** As the worker's, so that both have the same KV cache. */
const CONTEXT_TOKENS = 4096;

let llama: Promise<Llama> | undefined;

export class InProcess {
  readonly #chat: LlamaChat;
  readonly #sequence: LlamaContextSequence;
  readonly #dispose: () => Promise<void>;

  /** @param threads `default` is what node-llama-cpp chooses when nobody says */
  static async load(modelPath: string, threads: number | "default"): Promise<InProcess> {
    llama ??= getLlama({ gpu: false, build: "never", progressLogs: false });
    const model = await (await llama).loadModel({ modelPath });
    const context = await model.createContext({
      contextSize: Math.min(CONTEXT_TOKENS, model.trainContextSize),
      ...(threads !== "default" && { threads }),
    });
    return new InProcess(context.getSequence(), async () => {
      await context.dispose();
      await model.dispose();
    });
  }

  private constructor(sequence: LlamaContextSequence, dispose: () => Promise<void>) {
    this.#sequence = sequence;
    this.#chat = new LlamaChat({ contextSequence: sequence });
    this.#dispose = dispose;
  }

  /**
   * Answers one prompt with the likeliest tokens. What the last prompt has in common with this one
   * stays in the KV cache, as in a worker.
   */
  async answer(prompt: string, maxTokens: number, limitMs = Infinity): Promise<Generation> {
    const before = this.#sequence.tokenMeter.getState();
    const startedAt = performance.now();
    let firstTextMs = NaN;
    let tokens = 0;
    const response = this.#chat.generateResponse(
      [
        { type: "user", text: prompt },
        { type: "model", response: [] },
      ],
      {
        temperature: 0,
        repeatPenalty: false,
        maxTokens,
        stopOnAbortSignal: true,
        ...(limitMs !== Infinity && { signal: AbortSignal.timeout(limitMs) }),
        onTextChunk: () => {
          if (Number.isNaN(firstTextMs)) firstTextMs = performance.now() - startedAt;
        },
        onToken: (chunk) => (tokens += chunk.length),
      },
    );
    // Aborted before its first token it rejects, later it resolves with what there is.
    await response.catch((error: Error) => {
      if (error.name !== "TimeoutError") throw error;
    });
    const totalMs = performance.now() - startedAt;
    const { usedInputTokens } = this.#sequence.tokenMeter.diff(before);
    return { firstTextMs, totalMs, promptTokens: usedInputTokens, tokens };
  }

  async dispose(): Promise<void> {
    this.#chat.dispose();
    await this.#dispose();
  }
}
