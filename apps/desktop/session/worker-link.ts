/**
 * A conversation's present worker: opened when it is needed, reused while it lives, replaced by one
 * that is told the history when it does not.
 *
 *   none ──open──> connecting ──note──> queued ──> live ──closed──> ended ──open──> connecting …
 *
 * @module
 */
import { ClientError, withRetry, type ConversationOptions } from "@phantoma/client";
import type { Worker } from "../ipc/conversation.ts";
import { isBeginningOf, type Said } from "./message-tree.ts";
import type { LiveConversation, NodeClient } from "./node-client.ts";

/** About 20 seconds of trying, then the person decides. */
const CONNECT_ATTEMPTS = 6;

/** A node that does not confirm an end in this time is hung up on; it wipes all the same. */
const END_TIMEOUT_MS = 5_000;

const nobody: Worker = {
  state: "none",
  queuePosition: null,
  idleDeadline: null,
  task: null,
  endReason: null,
};

export interface LinkHandlers {
  readonly onWorker: (worker: Worker) => void;
  readonly onQueued: (position: number) => void;
  readonly onRetry: (error: ClientError, delayMs: number) => void;
}

export type LinkOptions = Pick<
  ConversationOptions,
  "profile" | "device" | "follow" | "model" | "mode"
>;

export class WorkerLink {
  readonly #client: NodeClient;
  readonly #options: LinkOptions;
  readonly #onWorker: (worker: Worker) => void;
  #live: LiveConversation | undefined;
  /** A beginning of what the worker remembers; it may remember more. */
  #known: readonly Said[] = [];
  #worker: Worker = nobody;

  constructor(client: NodeClient, options: LinkOptions, onWorker: (worker: Worker) => void) {
    this.#client = client;
    this.#options = options;
    this.#onWorker = onWorker;
  }

  get worker(): Worker {
    return this.#worker;
  }

  /** The worker to ask; `undefined` when it is gone. */
  get live(): LiveConversation | undefined {
    return this.#live;
  }

  /** Sees to a worker that has heard `history`: the present one, or a new one. */
  async ready(
    history: readonly Said[],
    handlers: Omit<LinkHandlers, "onWorker">,
    signal: AbortSignal,
  ): Promise<{ readonly isNew: boolean }> {
    if (this.#live && isBeginningOf(history, this.#known)) return { isNew: false };
    await this.end();
    await this.#open(history, handlers, signal);
    return { isNew: true };
  }

  /** What the worker is sure to remember after a turn. */
  learn(known: readonly Said[]): void {
    this.#known = known;
  }

  /** A turn began or ended: while one runs, no time is counted. */
  setAnswering(isAnswering: boolean): void {
    if (!this.#live) return;
    const idleDeadline = isAnswering ? null : Date.now() + this.#live.opened.idleTimeoutMs;
    this.#say({ idleDeadline });
  }

  /** Ends the worker now, if there is one; returns when it is gone. */
  async end(): Promise<void> {
    const live = this.#live;
    if (!live) return;
    const timer = setTimeout(() => live.drop(), END_TIMEOUT_MS);
    await live.end();
    clearTimeout(timer);
    this.#ended(live, "ended");
  }

  async #open(
    history: readonly Said[],
    { onQueued, onRetry }: Omit<LinkHandlers, "onWorker">,
    signal: AbortSignal,
  ): Promise<void> {
    this.#worker = nobody;
    this.#say({ state: "connecting" });
    // The client closes what is open when its signal fires, and Stop must not: this one ends with connecting.
    const connecting = new AbortController();
    const give = () => connecting.abort();
    signal.addEventListener("abort", give, { once: true });
    if (signal.aborted) give();
    try {
      const live = await withRetry(
        () =>
          this.#client.openConversation({
            ...this.#options,
            history,
            signal: connecting.signal,
            onNote: (note) => {
              if (note.note === "queued") {
                this.#say({ state: "queued", queuePosition: note.position });
                onQueued(note.position);
              }
              if (note.note === "assigned") this.#say({ state: "connecting", queuePosition: null });
            },
          }),
        {
          attempts: CONNECT_ATTEMPTS,
          signal: connecting.signal,
          onRetry: (error, delayMs) => {
            this.#say({ state: "connecting", queuePosition: null });
            onRetry(error, delayMs);
          },
        },
      );
      this.#adopt(live, history);
    } catch (error) {
      this.#say({ state: "none", queuePosition: null });
      throw error;
    } finally {
      signal.removeEventListener("abort", give);
    }
  }

  #adopt(live: LiveConversation, history: readonly Said[]): void {
    this.#live = live;
    this.#known = history;
    const task = Buffer.from(live.task).toString("hex");
    const idleDeadline = Date.now() + live.opened.idleTimeoutMs;
    this.#say({ state: "live", queuePosition: null, idleDeadline, task });
    void live.closed.then((reason) => this.#ended(live, endReasonOf(reason)));
  }

  #ended(live: LiveConversation, endReason: NonNullable<Worker["endReason"]>): void {
    if (this.#live !== live) return;
    this.#live = undefined;
    this.#say({ state: "ended", idleDeadline: null, endReason });
  }

  #say(change: Partial<Worker>): void {
    this.#worker = { ...this.#worker, ...change };
    this.#onWorker(this.#worker);
  }
}

type Closed = Awaited<LiveConversation["closed"]>;

function endReasonOf(reason: Closed): NonNullable<Worker["endReason"]> {
  if (!(reason instanceof ClientError)) return reason;
  return reason.code === "ERR_CONVERSATION_ENDED" ? "ended" : "lost";
}
