/**
 * A conversation with a fake engine and a real device's end of its channel, for tests. Not part of
 * the worker.
 *
 * @module
 */
import { generateX25519, startInitiator, startResponder } from "@phantoma/crypto";
import {
  encodeJson,
  MAX_REQUEST_BYTES,
  MAX_RESPONSE_BYTES,
  SecureChannel,
  TaskKind,
  type ChatMessage,
  type OpenRequest,
  type Sampling,
} from "@phantoma/protocol";
import { vi } from "vitest";
import { decodeNumber, FromProcess, ToProcess } from "../ipc/process-link.ts";
import { Conversation } from "./conversation.ts";
import { PromptTooLongError, type Engine, type TurnResult } from "./engine/engine.ts";
import type { LogprobsWish } from "./engine/logprobs.ts";

export async function channelPair(): Promise<{ device: SecureChannel; worker: SecureChannel }> {
  const prologue = Buffer.from("test");
  const { message1, next } = await startInitiator({ localStatic: generateX25519(), prologue });
  const responder = await startResponder({ localStatic: generateX25519(), prologue });
  const { message2, next: last } = responder.read(message1).write(new Uint8Array(0));
  const { message3, session } = next.read(message2).next.write();
  return {
    device: new SecureChannel(session, MAX_RESPONSE_BYTES),
    worker: new SecureChannel(last.read(message3).session, MAX_REQUEST_BYTES),
  };
}

export const counts = {
  promptTokens: 9,
  reusedTokens: 4,
  completionTokens: 2,
  promptMs: 1,
  firstTokenMs: 2,
  totalMs: 3,
} as const;

type Answering = (turn: {
  readonly history: readonly ChatMessage[];
  readonly sampling: Sampling;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
  /** What is to be told of tokens, where the turn asked for it. */
  readonly logprobs: LogprobsWish | undefined;
}) => Promise<TurnResult["reason"]>;

/** What a device heard, in order: the kind's name and what it says. */
export type Heard = { readonly stream: number; readonly kind: string; readonly body?: any };

export class TestConversation {
  readonly heard: Heard[] = [];
  /** Frames of the worker that are not records: `pace 1`, `turn 0`, … */
  readonly frames: string[] = [];
  readonly recordSizes: number[] = [];
  readonly leave = vi.fn(async (_code: number) => undefined as never);
  readonly device: SecureChannel;
  readonly conversation: Conversation;
  /** What the model does next; by default it says "Hello". */
  answer: Answering = async ({ say }) => {
    say("Hello");
    return "stop";
  };
  /** Whether the gateway lets every turn compute at once. */
  isGateOpen = true;
  readonly #modelSaw: (readonly ChatMessage[])[] = [];

  static async make(): Promise<TestConversation> {
    const { device, worker } = await channelPair();
    return new TestConversation(device, worker);
  }

  constructor(device: SecureChannel, channel: SecureChannel) {
    this.device = device;
    const link = {
      send: (kind: number, body: Uint8Array = Buffer.alloc(0)) => {
        this.#fromWorker(kind, Buffer.from(body));
      },
    };
    const engine = {
      modelName: "test model",
      contextTokens: 4096,
      threads: 2,
      answer: async (
        history: readonly ChatMessage[],
        sampling: Sampling,
        onText: (text: string) => void,
        signal: AbortSignal,
        _template: string,
        logprobs?: LogprobsWish,
      ): Promise<TurnResult> => {
        this.#modelSaw.push(structuredClone(history));
        const reason = await this.answer({ history, sampling, say: onText, signal, logprobs });
        return { reason, ...counts };
      },
      countTokens: (history: readonly ChatMessage[]) => {
        if (history.at(-1)!.text === "long") throw new PromptTooLongError(9, 8);
        return history.length;
      },
      embed: async (text: string) => {
        if (text === "nowhere") throw new Error("secret");
        return { tokens: text.length, vector: Float32Array.of(0.6, 0.8) };
      },
    };
    this.conversation = new Conversation(engine as unknown as Engine, {
      link,
      channel,
      leave: this.leave,
    });
  }

  /** What the model was shown, turn by turn: `role: text`, joined. */
  get modelSaw(): string[] {
    return this.#modelSaw.map((history) =>
      history.map(({ role, text }) => `${role}: ${text}`).join(" | "),
    );
  }

  send(stream: number, message: Buffer, isEnd = true): void {
    this.device.outbox.push(stream, message);
    if (isEnd && stream !== 0) this.device.outbox.end(stream);
    for (const body of this.device.flush())
      this.conversation.handle({ kind: ToProcess.data, body });
  }

  open(request: Partial<OpenRequest> = {}): void {
    const open = { mode: "conversation", steady: false, history: [], ...request };
    this.send(0, encodeJson(TaskKind.open, open));
  }

  /** Asks and waits until the engine and everything behind it has run. */
  async turn(stream: number, request: object | string): Promise<void> {
    const body = typeof request === "string" ? { text: request } : request;
    this.send(stream, encodeJson(TaskKind.turn, body));
    await settled();
  }

  attach(stream: number, name: string, content: Uint8Array): void {
    const header = Buffer.from(JSON.stringify({ name }));
    const length = Buffer.alloc(2);
    length.writeUInt16BE(header.length);
    this.send(stream, Buffer.concat([Buffer.of(TaskKind.attach), length, header, content]));
  }

  stop(): void {
    this.send(0, Buffer.of(TaskKind.stop));
  }

  go(): void {
    this.conversation.handle({ kind: ToProcess.go, body: Buffer.alloc(0) });
  }

  ask(): void {
    this.conversation.handle({ kind: ToProcess.ask, body: Buffer.alloc(0) });
  }

  /** What was heard on one stream: text as text, everything else by its kind. */
  on(stream: number): string[] {
    return this.heard
      .filter((one) => one.stream === stream)
      .map(({ kind, body }) => (kind === "delta" ? body : (body?.code ?? body?.reason ?? kind)));
  }

  #fromWorker(kind: number, body: Buffer): void {
    if (kind === FromProcess.pace || kind === FromProcess.turn) {
      const number = decodeNumber(body);
      this.frames.push(`${kind === FromProcess.pace ? "pace" : "turn"} ${number}`);
      if (kind === FromProcess.turn && number === 1 && this.isGateOpen)
        queueMicrotask(() => this.go());
      return;
    }
    this.recordSizes.push(body.length);
    for (const event of this.device.receive(body)) {
      if (event.type === "end") this.heard.push({ stream: event.stream, kind: "end" });
      else this.heard.push({ stream: event.stream, ...named(event.bytes) });
    }
  }
}

function named(bytes: Buffer): Omit<Heard, "stream"> {
  const kind = Object.entries(TaskKind).find(([, number]) => number === bytes[0])![0];
  const text = bytes.subarray(1).toString();
  return { kind, body: kind === "delta" ? text : JSON.parse(text) };
}

/** Lets promises run dry; time stands still. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((done) => process.nextTick(done));
}
