/**
 * One answer from question to authenticated end: measured, stopped, cut or failed.
 *
 *   connecting ──> asking ──delta …──> finish ──> end          complete, or stopped
 *        └────────────┴──────────────────┴─ error ─> again with a new worker where no text came,
 *                                                    otherwise cut or failed
 *
 * A stopped answer is read to its end, so that what is kept is what the worker remembers.
 *
 * @module
 */
import { ClientError, isPassing, type TurnEvent } from "@phantoma/client";
import type { AnswerEvent, Message, Metrics } from "../ipc/conversation.ts";
import { consoleErrorOf } from "./desktop-error.ts";
import { saidIn, type Said } from "./message-tree.ts";
import type { WorkerLink } from "./worker-link.ts";

/** A node that does not end a stopped answer in this time is hung up on. */
const STOP_TIMEOUT_MS = 10_000;

type Finish = Extract<TurnEvent, { type: "finish" }>["finish"];

export interface AnswerRunOptions {
  readonly link: WorkerLink;
  /** The branch up to and with the question. */
  readonly branch: readonly Message[];
  readonly answer: Message;
  readonly signal: AbortSignal;
  readonly maxTokens: number;
  /** Called with every new form of the answer. */
  readonly onAnswer: (answer: Message) => void;
  readonly onEvent: (event: AnswerEvent) => void;
  readonly onUnreachable: (error: ClientError) => void;
}

/** Runs one answer; never throws. */
export async function runAnswer(options: AnswerRunOptions): Promise<void> {
  const run = new AnswerRun(options);
  try {
    await run.ask();
  } catch (error) {
    run.fail(error);
  }
}

class AnswerRun {
  readonly #options: AnswerRunOptions;
  #answer: Message;
  readonly #askedAt = performance.now();
  #firstTextMs: number | null = null;

  constructor(options: AnswerRunOptions) {
    this.#options = options;
    this.#answer = options.answer;
  }

  async ask(): Promise<void> {
    const said = saidIn(this.#options.branch);
    const question = said.at(-1)!;
    const history = said.slice(0, -1);
    for (;;) {
      const isNew = await this.#connect(history);
      if (this.#options.signal.aborted) return this.#end(null);
      try {
        return await this.#turn(history, question);
      } catch (error) {
        // The worker of before is gone, and nothing is lost by asking another one.
        if (isNew || this.#answer.text !== "" || this.#options.signal.aborted) throw error;
        if (!isOver(error)) throw error;
        await this.#options.link.end();
        this.#options.link.learn([]);
      }
    }
  }

  fail(error: unknown): void {
    const { signal, onEvent } = this.#options;
    if (signal.aborted) return this.#end(null);
    this.#note(error);
    const shown = consoleErrorOf(error);
    const state = this.#answer.text === "" ? "failed" : "cut";
    const errorCode = error instanceof ClientError ? error.code : "ERR_INTERNAL";
    this.#change({ state, errorCode });
    onEvent({ type: "error", error: shown, answer: this.#answer });
  }

  /** A busy node is reachable; one that is gone is not. */
  #note(error: unknown): void {
    if (isPassing(error) && (error as ClientError).code !== "ERR_BUSY")
      this.#options.onUnreachable(error as ClientError);
  }

  async #connect(history: readonly Said[]): Promise<boolean> {
    const { link, signal, onEvent } = this.#options;
    const handlers = {
      onQueued: (position: number) => onEvent({ type: "queued", position }),
      onRetry: (error: ClientError, delayMs: number) => {
        if (signal.aborted) return;
        this.#note(error);
        const shown = consoleErrorOf(error);
        onEvent({ type: "retrying", error: shown, delayMs: Math.round(delayMs) });
      },
    };
    const { isNew } = await link.ready(history, handlers, signal);
    return isNew;
  }

  async #turn(history: readonly Said[], question: Said): Promise<void> {
    const { link, signal, onEvent, maxTokens } = this.#options;
    const live = link.live;
    if (!live) throw new ClientError("ERR_CONNECTION_LOST", "the worker ended before it was asked");
    let timer: NodeJS.Timeout | undefined;
    const stop = () => {
      live.stop();
      timer = setTimeout(() => live.drop(), STOP_TIMEOUT_MS);
    };
    signal.addEventListener("abort", stop, { once: true });
    link.setAnswering(true);
    // Until it is over, the worker is sure to remember this much and no more.
    link.learn(history);
    let finish: Finish | null = null;
    try {
      const sampling = { maxTokens };
      for await (const event of live.turn({
        text: question.text,
        keep: history.length,
        sampling,
      })) {
        if (event.type === "delta") this.#delta(event.text);
        if (event.type === "finish") {
          finish = event.finish;
          this.#change({ metrics: this.#metrics(finish), finishReason: finish.reason });
          onEvent({ type: "finish", answer: this.#answer });
          link.setAnswering(false);
        }
      }
      if (!finish) throw new ClientError("ERR_CONNECTION_LOST", "the answer has no end");
      const { text } = this.#answer;
      if (text !== "") link.learn([...history, question, { role: "assistant", text }]);
      this.#end(finish);
    } finally {
      signal.removeEventListener("abort", stop);
      clearTimeout(timer);
      if (!finish) link.setAnswering(false);
    }
  }

  #delta(text: string): void {
    if (text === "") return;
    this.#firstTextMs ??= performance.now() - this.#askedAt;
    this.#change({ text: this.#answer.text + text });
    this.#options.onEvent({ type: "delta", text });
  }

  #end(finish: Finish | null): void {
    const wasStopped = !finish || finish.reason === "stopped";
    this.#change({ state: wasStopped ? "stopped" : "complete" });
    this.#options.onEvent({ type: "end", answer: this.#answer });
  }

  #change(change: Partial<Message>): void {
    this.#answer = { ...this.#answer, ...change };
    this.#options.onAnswer(this.#answer);
  }

  #metrics({ usage, timings }: Finish): Metrics {
    const { completionTokens: tokens } = usage;
    const { firstTokenMs: modelMs, totalMs } = timings;
    const firstTokenMs = this.#firstTextMs;
    const decodeMs = modelMs === null ? 0 : totalMs - modelMs;
    return {
      tokens,
      tokensPerSecond: tokens > 1 && decodeMs > 0 ? ((tokens - 1) * 1000) / decodeMs : null,
      firstTokenMs,
      addedMs:
        firstTokenMs === null || modelMs === null ? null : Math.max(0, firstTokenMs - modelMs),
    };
  }
}

/** Whether the error says that the worker, not the question, is at fault. */
function isOver(error: unknown): boolean {
  return isPassing(error) || (error as ClientError).code === "ERR_CONVERSATION_ENDED";
}
