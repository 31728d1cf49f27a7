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
import {
  attachHeaderSchema,
  CloseCode,
  decodeJson,
  decodeText,
  encodeJson,
  IDLE_TIMEOUT_MS,
  MAX_REQUEST_BYTES,
  MAX_SESSION_MS,
  openSchema,
  ProtocolError,
  TaskKind,
  turnSchema,
  type ChatMessage,
  type Closing,
  type Finish,
  type Received,
  type Refused,
  type TurnRequest,
} from "@phantoma/protocol";
import type { Frame } from "../ipc/frames.ts";
import { encodeNumber, FromProcess, ToProcess } from "../ipc/process-link.ts";
import type { OpenTunnel } from "../tunnel-end/tunnel-end.ts";
import { AnswerLine } from "./answer-line.ts";
import { EngineError, type Engine, type TurnResult } from "./engine/engine.ts";

const SESSION_STREAM = 0;

interface Attachment {
  readonly name: string;
  readonly text: string;
}

/** What a conversation needs of its tunnel. */
export type ConversationTunnel = Pick<OpenTunnel, "channel" | "leave"> & {
  readonly link: Pick<OpenTunnel["link"], "send">;
};

export class Conversation {
  readonly #engine: Engine;
  readonly #tunnel: ConversationTunnel;
  #line: AnswerLine | undefined;
  #isSingleTurn = false;
  /** A single turn was begun: no other one may follow, also while its answer is rounded up. */
  #isSpent = false;
  #history: ChatMessage[] = [];
  /** What a turn that gives no answer goes back to. */
  #historyBefore: ChatMessage[] = [];
  readonly #attachments = new Map<number, Attachment>();
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
      if (kind === TaskKind.turn) return void this.#turn(stream, body);
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
    const { mode, steady, history } = decodeJson(openSchema, body);
    this.#line = new AnswerLine(this.#tunnel.link, this.#tunnel.channel, steady);
    this.#isSingleTurn = mode === "turn";
    this.#history.push(...history);
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
    if (this.#attachedBytes + content.length > MAX_REQUEST_BYTES)
      throw new ProtocolError("ERR_LIMIT", `attachments of over ${MAX_REQUEST_BYTES} bytes`);
    this.#attachments.set(stream, { name, text: decodeText(content) });
    this.#attachedBytes += content.length;
    this.#line!.say(stream, encodeJson(TaskKind.attached, { bytes: content.length }), true);
    this.#idle.refresh();
  }

  async #turn(stream: number, body: Buffer): Promise<void> {
    let request: TurnRequest;
    try {
      if (this.#running || this.#isSpent) return this.#refuse(stream, busy);
      request = decodeJson(turnSchema, body);
      this.#startTurn(request);
    } catch (error) {
      const refused = refusalFor(error);
      return refused ? this.#refuse(stream, refused) : void this.#tunnel.leave(CloseCode.limit);
    }
    const running = new AbortController();
    this.#running = running;
    this.#isSpent = this.#isSingleTurn;
    this.#line!.begin(stream);
    const outcome = await this.#answer(request, running.signal);
    this.#running = undefined;
    this.#idle.refresh();
    this.#tunnel.link.send(FromProcess.turn, encodeNumber(0));
    this.#line!.finish(outcome, () => {
      if (this.#isSingleTurn) void this.#close("turn-done");
    });
  }

  /** Puts the user's message into the history, or throws and leaves it as it was. */
  #startTurn({ text, keep, attachments = [] }: TurnRequest): void {
    const parts = attachments.map((id) => {
      const attachment = this.#attachments.get(id);
      if (!attachment) throw new UnknownAttachment();
      return `File "${attachment.name}":\n${attachment.text}\n\n`;
    });
    this.#historyBefore = this.#history;
    this.#history = this.#history.slice(0, keep);
    this.#history.push({ role: "user", text: parts.join("") + text });
  }

  /** The message that ends the answer: how it finished, or why it could not be given. */
  async #answer({ sampling = {} }: TurnRequest, signal: AbortSignal): Promise<Buffer> {
    let text = "";
    try {
      await this.#permission(signal);
      const onText = (delta: string) => {
        text += delta;
        this.#line!.delta(delta);
      };
      const result = await this.#engine.answer(this.#history, sampling, onText, signal);
      this.#history.push({ role: "assistant", text });
      return encodeJson(TaskKind.finish, finishOf(result));
    } catch (error) {
      if (text === "") this.#history = this.#historyBefore;
      else this.#history.push({ role: "assistant", text });
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

class UnknownAttachment extends Error {}

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
