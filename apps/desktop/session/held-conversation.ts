/**
 * One conversation as the console holds it: in memory, and on no disk unless it is saved.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import type { ClientError } from "@phantoma/client";
import type { SavedConversation } from "@phantoma/vault";
import type {
  AnswerEvent,
  AnswerInput,
  Conversation,
  ConversationSummary,
  Message,
  Worker,
} from "../ipc/conversation.ts";
import { MAX_TITLE_CHARS } from "../ipc/conversation.ts";
import { runAnswer } from "./answer-run.ts";
import { DesktopError } from "./desktop-error.ts";
import { MessageTree } from "./message-tree.ts";
import type { WorkerLink } from "./worker-link.ts";

/** Beyond what a person reads, and far below what memory holds. */
const MAX_MESSAGES = 10_000;

/** Characters of a first question that name the conversation. */
const TITLE_CHARS = 60;

export interface HeldConversationOptions {
  readonly nodeId: string;
  readonly model: { readonly digest: string; readonly name: string };
  readonly mode: "conversation" | "turn";
  readonly maxAnswerTokens: number;
  readonly makeLink: (onWorker: (worker: Worker) => void) => WorkerLink;
  readonly onWorker: (worker: Worker) => void;
  readonly onChanged: () => void;
  /** One that was saved, taken up again. */
  readonly saved?: SavedConversation;
  /** The node did not answer, or hung up in the middle. */
  readonly onUnreachable: (error: ClientError) => void;
}

interface Run {
  readonly stop: AbortController;
  readonly over: Promise<void>;
}

export class HeldConversation {
  readonly id: string;
  readonly nodeId: string;
  draft = "";
  readonly #options: HeldConversationOptions;
  readonly #link: WorkerLink;
  readonly #tree = new MessageTree();
  #title = "";
  #head: string | null = null;
  readonly #createdAt: number;
  #updatedAt: number;
  #run: Run | undefined;

  constructor(options: HeldConversationOptions) {
    this.#options = options;
    this.nodeId = options.nodeId;
    this.#link = options.makeLink(options.onWorker);
    const { saved } = options;
    this.id = saved?.id ?? newId();
    this.#createdAt = saved?.createdAt ?? Date.now();
    this.#updatedAt = Date.now();
    if (saved) this.#takeUp(saved);
  }

  get worker(): Worker {
    return this.#link.worker;
  }

  summary(): ConversationSummary {
    return { ...this.#outline(), messageCount: this.#tree.size };
  }

  full(): Conversation {
    const { draft } = this;
    return { ...this.#outline(), messages: this.#tree.all(), head: this.#head, draft };
  }

  rename(title: string): void {
    this.#title = title.trim();
    this.#options.onChanged();
  }

  /** @returns the end of the branch that is shown now */
  setHead(message: string): string {
    this.#message(message);
    this.#head = this.#tree.newestEnd(message);
    this.#options.onChanged();
    return this.#head;
  }

  /**
   * Answers, and resolves when the answer is over; firing `signal` is Stop.
   *
   * @throws {@link DesktopError} before anything has changed
   */
  async answer(
    input: AnswerInput,
    onEvent: (event: AnswerEvent) => void,
    signal: AbortSignal,
  ): Promise<void> {
    // A stopped answer is read to its end, which is near; one that is not stopped is in the way.
    while (this.#run) {
      if (!this.#run.stop.signal.aborted)
        throw new DesktopError("ERR_ANSWERING", "an answer is under way");
      await this.#run.over;
    }
    const { question, parent } = this.#question(input);
    if (this.#tree.size + 2 > MAX_MESSAGES)
      throw new DesktopError("ERR_TOO_MANY", `a conversation has at most ${MAX_MESSAGES} messages`);
    if (question) this.#put(question);
    const answer = newMessage(parent, "assistant", "");
    this.#put(answer);
    this.#head = answer.id;
    onEvent({ type: "started", question, answer });
    this.#options.onChanged();
    await this.#runAnswer(answer, onEvent, signal);
  }

  /** Stops what runs and ends the worker. @returns the task to ask a receipt for */
  async end(): Promise<string | null> {
    this.#run?.stop.abort();
    await this.#link.end();
    await this.#run?.over;
    return this.#link.worker.task;
  }

  #takeUp({ title, messages }: SavedConversation): void {
    this.#title = title;
    const unmeasured = { metrics: null, errorCode: null, finishReason: null };
    // Instructions of a terminal's conversation: a page has none to show them as.
    const shown = messages.filter(({ role }) => role !== "system");
    for (const { id, parent, role, text, state, createdAt } of shown)
      this.#tree.put({
        id,
        parent: this.#tree.get(parent ?? "") ? parent : null,
        role: role === "assistant" ? role : "user",
        text,
        state,
        createdAt,
        ...unmeasured,
      });
    const first = shown[0];
    if (first) this.#head = this.#tree.newestEnd(first.id);
  }

  async #runAnswer(
    answer: Message,
    onEvent: (event: AnswerEvent) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const stop = new AbortController();
    const pass = () => stop.abort();
    signal.addEventListener("abort", pass, { once: true });
    if (signal.aborted) pass();
    const over = runAnswer({
      link: this.#link,
      branch: this.#tree.branch(answer.parent),
      answer,
      signal: stop.signal,
      maxTokens: this.#options.maxAnswerTokens,
      onAnswer: (newer) => this.#put(newer),
      onEvent,
      onUnreachable: this.#options.onUnreachable,
    });
    this.#run = { stop, over };
    try {
      await over;
    } finally {
      this.#run = undefined;
      signal.removeEventListener("abort", pass);
      this.#options.onChanged();
    }
  }

  /** The question to answer: a new one, or one that is in the tree. */
  #question(input: AnswerInput): { question: Message | null; parent: string } {
    if ("regenerate" in input) {
      const named = this.#message(input.regenerate);
      const parent = named.role === "user" ? named.id : named.parent!;
      return { question: null, parent };
    }
    if (input.parent !== null && this.#message(input.parent).role === "user")
      throw new DesktopError("ERR_MESSAGE_UNKNOWN", "a question follows an answer, not a question");
    const question = {
      ...newMessage(input.parent, "user", input.text),
      state: "complete",
    } as const;
    this.#title ||= titleOf(input.text);
    this.draft = "";
    return { question, parent: question.id };
  }

  #put(message: Message): void {
    this.#tree.put(message);
    this.#updatedAt = Date.now();
  }

  #message(id: string): Message {
    const message = this.#tree.get(id);
    if (!message) throw new DesktopError("ERR_MESSAGE_UNKNOWN", "there is no such message");
    return message;
  }

  #outline() {
    const { nodeId, model, mode } = this.#options;
    return {
      id: this.id,
      nodeId,
      model,
      mode,
      title: this.#title,
      createdAt: this.#createdAt,
      updatedAt: this.#updatedAt,
      worker: this.#link.worker,
    };
  }
}

function newMessage(parent: string | null, role: Message["role"], text: string): Message {
  return {
    id: newId(),
    parent,
    role,
    text,
    state: "streaming",
    metrics: null,
    createdAt: Date.now(),
    errorCode: null,
    finishReason: null,
  };
}

function newId(): string {
  return randomBytes(8).toString("hex");
}

function titleOf(text: string): string {
  const line = text.trim().split("\n", 1)[0] ?? "";
  const short = line.length <= TITLE_CHARS ? line : `${line.slice(0, TITLE_CHARS - 1).trimEnd()}…`;
  return short.slice(0, MAX_TITLE_CHARS);
}
