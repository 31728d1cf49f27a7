/**
 * One device's conversation with one model: what may be asked when, and what is answered.
 *
 *   expecting open ──open──> idle ──turn──> answering ──finish──> idle ──end, timeout──> closed
 *                              ^└─ attach ─┘    └──stop──────────────┘
 *
 * A request that cannot be served is refused with a code and the conversation goes on; a message
 * that breaks the protocol ends the process.
 *
 * @module
 */
import { isUtf8 } from "node:buffer";
import { CryptoError } from "@phantoma/crypto";
import {
  attachHeaderSchema,
  CloseCode,
  countSchema,
  decodeJson,
  embedSchema,
  encodeJson,
  IDLE_TIMEOUT_MS,
  MAX_REQUEST_BYTES,
  MAX_SESSION_MS,
  openSchema,
  ProtocolError,
  TaskKind,
  turnSchema,
  type Closing,
  type Finish,
  type OpenRequest,
  type Received,
  type Refused,
  type TurnRequest,
} from "@phantoma/protocol";
import type { Frame } from "../ipc/frames.ts";
import { encodeNumber, FromProcess, ToProcess } from "../ipc/process-link.ts";
import type { OpenTunnel } from "../tunnel-end/tunnel-end.ts";
import { AnswerLine } from "./answer-line.ts";
import { EngineError, type Engine, type TurnResult } from "./engine/engine.ts";
import { SealedHistory } from "./sealed-history.ts";
import { SealedPayloads, type SealedPayload } from "./sealed-payloads.ts";

const SESSION_STREAM = 0;

/** What a conversation needs of its tunnel. */
export type ConversationTunnel = Pick<OpenTunnel, "channel" | "leave"> & {
  readonly link: Pick<OpenTunnel["link"], "send">;
};

export class Conversation {
  readonly #engine: Engine;
  readonly #tunnel: ConversationTunnel;
  #line: AnswerLine | undefined;
  #isSingleTurn = false;
  #template: NonNullable<OpenRequest["template"]> = "model";
  /** A single turn was begun: no other one may follow, also while its answer is rounded up. */
  #isSpent = false;
  readonly #payloads = new SealedPayloads();
  readonly #history = new SealedHistory(this.#payloads);
  readonly #attachments = new Map<number, SealedPayload>();
  #attachedBytes = 0;
  #running: AbortController | undefined;
  #mayCompute: (() => void) | undefined;
  #idle: NodeJS.Timeout;

  constructor(engine: Engine, tunnel: ConversationTunnel) {
    this.#engine = engine;
    this.#tunnel = tunnel;
    // Runs on during an answer, because a timer that was cleared cannot be refreshed.
    this.#idle = setTimeout(() => {
      if (!this.#running) void this.#close("idle");
    }, IDLE_TIMEOUT_MS);
    setTimeout(() => void this.#close("hard-limit"), MAX_SESSION_MS).unref();
  }

  /** Takes a frame of the gateway; throws where the session must end. */
  handle({ kind, body }: Frame): void {
    switch (kind) {
      case ToProcess.data:
        for (const received of this.#tunnel.channel.receive(body)) this.#receive(received);
        return;
      case ToProcess.ask:
        return this.#line?.sendRecord();
      case ToProcess.go:
        return this.#mayCompute?.();
      default:
        throw new RangeError("no such frame");
    }
  }

  /** Nothing of what was said can be opened any more. The last thing that happens to a conversation. */
  erase(): void {
    this.#payloads.erase();
  }

  #receive(received: Received): void {
    if (received.type === "end") return;
    const { stream, bytes } = received;
    const kind = bytes[0];
    const body = bytes.subarray(1);
    try {
      if (kind === TaskKind.open) return this.#open(stream, body);
      if (!this.#line) throw new ProtocolError("ERR_UNEXPECTED", "open comes first");
      if (kind === TaskKind.stop) return this.#running?.abort();
      if (kind === TaskKind.end) return void this.#close("ended");
      if (stream === SESSION_STREAM) throw new ProtocolError("ERR_UNEXPECTED", "no such message");
      if (kind === TaskKind.attach) return this.#attach(stream, body);
      if (kind === TaskKind.turn) return void this.#compute(stream, () => this.#turn(body));
      if (kind === TaskKind.embed) return void this.#compute(stream, () => this.#embed(body));
      if (kind === TaskKind.count) return void this.#compute(stream, () => this.#count(body));
      throw new ProtocolError("ERR_UNEXPECTED", "no such message");
    } catch (error) {
      const refused = refusalFor(error);
      if (!refused || !this.#line) throw error;
      this.#refuse(stream, refused);
    } finally {
      bytes.fill(0);
    }
  }

  #open(stream: number, body: Buffer): void {
    if (this.#line || stream !== SESSION_STREAM)
      throw new ProtocolError("ERR_UNEXPECTED", "open comes once");
    const { mode, steady, history, template = "model" } = decodeJson(openSchema, body);
    this.#template = template;
    this.#line = new AnswerLine(this.#tunnel.link, this.#tunnel.channel, steady);
    this.#isSingleTurn = mode === "turn";
    for (const { role, text } of history) this.#history.add(role, Buffer.from(text, "utf8"));
    const { modelName: model, contextTokens, threads } = this.#engine;
    const opened = { model, contextTokens, threads, idleTimeoutMs: IDLE_TIMEOUT_MS };
    this.#line.say(SESSION_STREAM, encodeJson(TaskKind.opened, opened), false);
    this.#idle.refresh();
  }

  #attach(stream: number, body: Buffer): void {
    if (body.length < 2) throw new ProtocolError("ERR_INVALID_MESSAGE", "attachment: no header");
    const contentStart = 2 + body.readUInt16BE(0);
    if (contentStart > body.length)
      throw new ProtocolError("ERR_INVALID_MESSAGE", "attachment: its header is cut off");
    const { name } = decodeJson(attachHeaderSchema, body.subarray(2, contentStart));
    const content = body.subarray(contentStart);
    const bytes = content.length;
    if (this.#attachedBytes + bytes > MAX_REQUEST_BYTES)
      throw new ProtocolError("ERR_LIMIT", `attachments of over ${MAX_REQUEST_BYTES} bytes`);
    // No string is made of it before a turn reads it.
    if (!isUtf8(content)) throw new ProtocolError("ERR_INVALID_UTF8", "the text is not UTF-8");
    const text = joined([Buffer.from(`File "${name}":\n`), content, Buffer.from("\n\n")]);
    this.#attachments.set(stream, this.#payloads.seal({ kind: "attachment", stream }, text));
    this.#attachedBytes += bytes;
    this.#line!.say(stream, encodeJson(TaskKind.attached, { bytes }), true);
    this.#idle.refresh();
  }

  /** @param prepare reads the request and throws where it cannot be served */
  async #compute(stream: number, prepare: () => Computation): Promise<void> {
    let compute: Computation;
    try {
      if (this.#running || this.#isSpent) return this.#refuse(stream, busy);
      compute = prepare();
    } catch (error) {
      const refused = refusalFor(error);
      return refused ? this.#refuse(stream, refused) : void this.#tunnel.leave(endFor(error));
    }
    const running = new AbortController();
    this.#running = running;
    this.#isSpent = this.#isSingleTurn;
    this.#line!.begin(stream);
    let outcome: Buffer;
    try {
      outcome = await compute(running.signal);
    } catch (error) {
      return void this.#tunnel.leave(endFor(error));
    }
    this.#running = undefined;
    this.#idle.refresh();
    this.#tunnel.link.send(FromProcess.turn, encodeNumber(0));
    this.#line!.finish(outcome, () => {
      if (this.#isSingleTurn) void this.#close("turn-done");
    });
  }

  #turn(body: Buffer): Computation {
    const request = decodeJson(turnSchema, body);
    this.#startTurn(request);
    return (signal) => this.#answer(request, signal);
  }

  #embed(body: Buffer): Computation {
    const { text } = decodeJson(embedSchema, body);
    return async (signal) => {
      try {
        await this.#permission(signal);
        if (signal.aborted) return encodeJson(TaskKind.refused, stopped);
        const { tokens, vector } = await this.#engine.embed(text);
        return encodeJson(TaskKind.embedded, { tokens, vector: encodeVector(vector) });
      } catch (error) {
        return encodeJson(TaskKind.refused, modelRefusal(error));
      }
    };
  }

  #count(body: Buffer): Computation {
    const { text, keep } = decodeJson(countSchema, body);
    return async (signal) => {
      await this.#permission(signal);
      this.#history.begin(keep, Buffer.from(text, "utf8"));
      try {
        const promptTokens = this.#engine.countTokens(this.#history.open(), this.#template);
        return encodeJson(TaskKind.counted, { promptTokens });
      } catch (error) {
        if (error instanceof CryptoError) throw error;
        return encodeJson(TaskKind.refused, modelRefusal(error));
      } finally {
        this.#history.takeBack();
      }
    };
  }

  /** Puts the user's message into the history, or throws and leaves it as it was. */
  #startTurn({ text, keep, attachments = [] }: TurnRequest): void {
    const named = attachments.map((stream) => {
      const payload = this.#attachments.get(stream);
      if (!payload) throw new UnknownAttachment();
      return { stream, payload };
    });
    const files = named.map(({ stream, payload }) =>
      this.#payloads.open({ kind: "attachment", stream }, payload),
    );
    this.#history.begin(keep, joined([...files, Buffer.from(text, "utf8")]));
  }

  /**
   * The message that ends the answer: how it finished, or why it could not be given.
   *
   * @throws CryptoError where the history is not as it was sealed
   */
  async #answer(
    { sampling = {}, logprobs: top }: TurnRequest,
    signal: AbortSignal,
  ): Promise<Buffer> {
    let text = "";
    try {
      await this.#permission(signal);
      const onText = (delta: string) => {
        text += delta;
        this.#line!.delta(delta);
      };
      const result = await this.#engine.answer(
        this.#history.open(),
        sampling,
        onText,
        signal,
        this.#template,
        top === undefined
          ? undefined
          : { top, onToken: (token) => this.#line!.logprobs(token, top) },
      );
      this.#history.answered(Buffer.from(text, "utf8"));
      return encodeJson(TaskKind.finish, finishOf(result));
    } catch (error) {
      if (error instanceof CryptoError) throw error;
      if (text === "") this.#history.takeBack();
      else this.#history.answered(Buffer.from(text, "utf8"));
      return encodeJson(TaskKind.refused, modelRefusal(error));
    }
  }

  /** Waits until the gateway says that a core is free, or the turn is stopped. */
  #permission(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#mayCompute = resolve;
      signal.addEventListener("abort", () => resolve(), { once: true });
      this.#tunnel.link.send(FromProcess.turn, encodeNumber(1));
    });
  }

  #refuse(stream: number, refused: Refused): void {
    this.#line!.say(stream, encodeJson(TaskKind.refused, refused), true);
  }

  async #close(reason: Closing["reason"]): Promise<void> {
    clearTimeout(this.#idle);
    this.#running?.abort();
    this.#line?.say(SESSION_STREAM, encodeJson(TaskKind.closing, { reason }), true);
    this.#line?.flushNow();
    const isInTime = reason === "ended" || reason === "turn-done";
    await this.#tunnel.leave(isInTime ? CloseCode.done : CloseCode.timeout);
  }
}

/** @returns the last message of what was asked for */
type Computation = (signal: AbortSignal) => Promise<Buffer>;

/** Little-endian on every machine. */
function encodeVector(vector: Float32Array): string {
  const bytes = Buffer.allocUnsafeSlow(vector.length * Float32Array.BYTES_PER_ELEMENT);
  for (const [index, value] of vector.entries())
    bytes.writeFloatLE(value, index * Float32Array.BYTES_PER_ELEMENT);
  return bytes.toString("base64");
}

/** @param pieces are overwritten */
function joined(pieces: readonly Buffer[]): Buffer {
  const all = Buffer.allocUnsafeSlow(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    at += piece.copy(all, at);
    piece.fill(0);
  }
  return all;
}

/** With which code a session ends that cannot go on. */
function endFor(error: unknown): CloseCode {
  return error instanceof CryptoError ? CloseCode.crypto : CloseCode.limit;
}

class UnknownAttachment extends Error {}

const stopped: Refused = { code: "ERR_BUSY", message: "it was stopped before it began" };
const busy: Refused = { code: "ERR_BUSY", message: "an answer is under way; stop it first" };

/** What a client is told of a request that can be refused; `undefined` where the session ends. */
function refusalFor(error: unknown): Refused | undefined {
  if (error instanceof UnknownAttachment)
    return { code: "ERR_ATTACHMENT_UNKNOWN", message: "an attachment of this turn is not here" };
  if (!(error instanceof ProtocolError)) return undefined;
  switch (error.code) {
    case "ERR_INVALID_UTF8":
    case "ERR_INVALID_MESSAGE":
    case "ERR_LIMIT":
      return { code: error.code, message: error.message };
    case "ERR_MALFORMED":
    case "ERR_UNEXPECTED":
      return undefined;
  }
}

function modelRefusal(error: unknown): Refused {
  if (error instanceof EngineError && error.code === "ERR_PROMPT_TOO_LONG")
    return { code: "ERR_PROMPT_TOO_LONG", message: error.message };
  // Everything else of a sampling was checked by its schema.
  if (error instanceof EngineError && error.code === "ERR_SAMPLING")
    return { code: "ERR_INVALID_MESSAGE", message: "sampling.grammar: it cannot be read" };
  // Nothing of an unknown error is passed on: it may quote the prompt.
  return { code: "ERR_MODEL_FAILED", message: "the model could not answer" };
}

function finishOf(result: TurnResult): Finish {
  const { reason, promptTokens, reusedTokens, completionTokens } = result;
  const { promptMs, firstTokenMs, totalMs } = result;
  return {
    reason: reason === "aborted" ? "stopped" : reason,
    usage: { promptTokens, reusedTokens, completionTokens },
    timings: { promptMs, firstTokenMs, totalMs },
  };
}
