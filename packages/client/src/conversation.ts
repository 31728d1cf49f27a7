/**
 * A conversation with a model, seen from the device: turns in, text out, an authenticated end.
 *
 * @module
 */
import { TextDecoder } from "node:util";
import type { Certificate } from "@phantoma/crypto";
import {
  countedSchema,
  decodeJson,
  decodeLogprobs,
  encodeJson,
  attachedSchema,
  closingSchema,
  embeddedSchema,
  finishSchema,
  HANDSHAKE_TIMEOUT_MS,
  MAX_REQUEST_BYTES,
  openedSchema,
  refusedSchema,
  TaskKind,
  type ChatMessage,
  type Closing,
  type CountRequest,
  type Finish,
  type OpenRequest,
  type Opened,
  type Received,
  type TokenLogprob,
  type TurnRequest,
} from "@phantoma/protocol";
import { ClientError } from "./client-error.ts";
import { EventQueue } from "./event-queue.ts";
import { Tunnel, type TunnelOptions } from "./tunnel.ts";

const SESSION_STREAM = 0;
/** A worker ends at once when asked; the gateway ends it anyway when the connection is dropped. */
const END_TIMEOUT_MS = 5_000;

export interface ConversationOptions extends TunnelOptions {
  readonly model: Uint8Array;
  readonly mode?: OpenRequest["mode"];
  /** `false` shows an answer's shape to the network: for measuring only. */
  readonly steady?: boolean;
  /** `none` lets a model continue a text; the model's own where it is left out. */
  readonly template?: OpenRequest["template"];
  /** What was said before, with another worker. */
  readonly history?: readonly ChatMessage[];
}

export type TurnEvent =
  | { readonly type: "delta"; readonly text: string }
  /** Of a token of the answer, where the turn asked for it: before the text that it is in. */
  | { readonly type: "logprobs"; readonly token: TokenLogprob }
  /** All text has arrived; {@link TurnEvent} `end` follows when the steady answer is over. */
  | { readonly type: "finish"; readonly finish: Finish }
  /** The node's authenticated word that nothing is missing. */
  | { readonly type: "end" };

interface LiveTurn {
  readonly events: EventQueue<TurnEvent>;
  readonly decoder: TextDecoder;
}

export class Conversation {
  readonly #tunnel: Tunnel;
  readonly #turns = new Map<number, LiveTurn>();
  /** What is asked for and comes in one message. */
  readonly #awaited = new Map<number, PromiseWithResolvers<Buffer>>();
  #nextStream = 1;
  #opened = Promise.withResolvers<Opened>();
  #closed = Promise.withResolvers<Closing["reason"] | ClientError>();
  #closing: Closing["reason"] | undefined;

  /** @throws {@link ClientError} */
  static async open(options: ConversationOptions): Promise<Conversation> {
    const conversation = new Conversation(await Tunnel.open(options));
    const { mode = "conversation", steady = true, history = [], template } = options;
    const open = { mode, steady, history, ...(template !== undefined && { template }) };
    conversation.#send(SESSION_STREAM, encodeJson(TaskKind.open, open), false);
    const late = setTimeout(() => conversation.#openingTookTooLong(), HANDSHAKE_TIMEOUT_MS);
    try {
      conversation.opened = await conversation.#opened.promise;
    } finally {
      clearTimeout(late);
    }
    return conversation;
  }

  /** What the worker said of itself. */
  opened!: Opened;

  private constructor(tunnel: Tunnel) {
    this.#tunnel = tunnel;
    this.#opened.promise.catch(() => undefined);
    tunnel.handle({
      received: (event) => this.#receive(event),
      closed: (error) => this.#end(error),
    });
  }

  /** The task's name in its receipt, 32 bytes. */
  get task(): Uint8Array {
    return this.#tunnel.task;
  }

  get certificate(): Certificate {
    return this.#tunnel.certificate;
  }

  /** Resolves when the conversation is over: the worker's own word, or how the connection ended. */
  get closed(): Promise<Closing["reason"] | ClientError> {
    return this.#closed.promise;
  }

  /**
   * Asks, and gives the answer as it comes. Leaving the loop early stops the answer.
   *
   * @throws {@link ClientError}; `ERR_CONNECTION_LOST` when the answer was cut
   */
  async *turn(request: TurnRequest): AsyncGenerator<TurnEvent, void, undefined> {
    const message = encodeJson(TaskKind.turn, request);
    assertFits(message.length);
    this.#assertOpen();
    const stream = this.#nextStream++;
    const turn = { events: new EventQueue<TurnEvent>(), decoder: new TextDecoder() };
    this.#turns.set(stream, turn);
    this.#send(stream, message, true);
    let isOver = false;
    try {
      for await (const event of turn.events) {
        isOver ||= event.type === "finish";
        yield event;
      }
      isOver = true;
    } catch (error) {
      // Refused or cut: a stop would end another turn's answer.
      isOver = true;
      throw error;
    } finally {
      if (!isOver) this.stop();
    }
  }

  /** The whole answer of one turn. */
  async ask(request: TurnRequest): Promise<{ text: string; finish: Finish }> {
    let text = "";
    for await (const event of this.turn(request)) {
      if (event.type === "delta") text += event.text;
      if (event.type === "finish") return { text, finish: event.finish };
    }
    throw new ClientError("ERR_CONNECTION_LOST", "the answer has no end");
  }

  /** Ends the answer under way; the conversation goes on. */
  stop(): void {
    this.#send(SESSION_STREAM, Buffer.of(TaskKind.stop), false);
  }

  /** Hands a file's text over for later turns. @returns what {@link TurnRequest} names it by */
  async attach(name: string, content: Uint8Array): Promise<number> {
    assertFits(content.length);
    this.#assertOpen();
    const header = Buffer.from(JSON.stringify({ name }), "utf8");
    const length = Buffer.alloc(2);
    length.writeUInt16BE(header.length);
    const stream = this.#nextStream++;
    const message = Buffer.concat([Buffer.of(TaskKind.attach), length, header, content]);
    decodeJson(attachedSchema, await this.#answerTo(stream, message));
    return stream;
  }

  /**
   * Where a text lies in the model's space: a vector of length 1. Not during a turn.
   *
   * @throws {@link ClientError}
   */
  async embed(text: string): Promise<{ tokens: number; vector: Float32Array }> {
    const message = encodeJson(TaskKind.embed, { text });
    assertFits(message.length);
    this.#assertOpen();
    const body = await this.#answerTo(this.#nextStream++, message);
    const { tokens, vector } = decodeJson(embeddedSchema, body);
    const bytes = Buffer.from(vector, "base64");
    const count = Math.floor(bytes.length / Float32Array.BYTES_PER_ELEMENT);
    const values = Float32Array.from({ length: count }, (_, index) =>
      bytes.readFloatLE(index * Float32Array.BYTES_PER_ELEMENT),
    );
    return { tokens, vector: values };
  }

  /**
   * How many tokens the prompt of a turn would have, with everything that a template adds. Not during a turn, and
   * nothing of the conversation changes.
   *
   * @throws {@link ClientError}
   */
  async countTokens(request: CountRequest): Promise<number> {
    const message = encodeJson(TaskKind.count, request);
    assertFits(message.length);
    this.#assertOpen();
    const body = await this.#answerTo(this.#nextStream++, message);
    return decodeJson(countedSchema, body).promptTokens;
  }

  #answerTo(stream: number, message: Buffer): Promise<Buffer> {
    const awaited = Promise.withResolvers<Buffer>();
    this.#awaited.set(stream, awaited);
    this.#send(stream, message, true);
    return awaited.promise;
  }

  /** Ends the conversation now, and the worker's process with it. */
  async end(): Promise<void> {
    this.#send(SESSION_STREAM, Buffer.of(TaskKind.end), true);
    await this.closedWithin(END_TIMEOUT_MS);
  }

  /**
   * Waits until the conversation is over; drops the connection when that takes too long.
   *
   * @returns what {@link closed} resolves to
   */
  async closedWithin(timeoutMs: number): Promise<Closing["reason"] | ClientError> {
    const late = setTimeout(() => this.drop(), timeoutMs);
    return this.#closed.promise.finally(() => clearTimeout(late));
  }

  /** Drops the connection, as a desktop that vanishes does. */
  drop(): void {
    this.#tunnel.close();
  }

  /** A worker answers `open` at once: whoever keeps the answer back would keep us for ever. */
  #openingTookTooLong(): void {
    this.#opened.reject(new ClientError("ERR_TIMEOUT", "the worker did not answer in time"));
    this.drop();
  }

  #send(stream: number, bytes: Buffer, isEnd: boolean): void {
    this.#tunnel.send([{ stream, bytes, isEnd }]);
  }

  #receive(event: Received): void {
    if (event.type === "end") return this.#endStream(event.stream);
    const body = event.bytes.subarray(1);
    const turn = this.#turns.get(event.stream);
    switch (event.bytes[0]) {
      case TaskKind.opened:
        return this.#opened.resolve(decodeJson(openedSchema, body));
      case TaskKind.delta:
        return turn?.events.push({
          type: "delta",
          text: turn.decoder.decode(body, { stream: true }),
        });
      case TaskKind.finish:
        return turn?.events.push({ type: "finish", finish: decodeJson(finishSchema, body) });
      case TaskKind.logprobs:
        return turn?.events.push({ type: "logprobs", token: decodeLogprobs(body) });
      case TaskKind.attached:
      case TaskKind.counted:
      case TaskKind.embedded:
        return this.#awaited.get(event.stream)?.resolve(body);
      case TaskKind.refused:
        return this.#refused(event.stream, body);
      case TaskKind.closing:
        this.#closing = decodeJson(closingSchema, body).reason;
        return;
      default:
        // A newer node may say more than we understand; what we asked for still comes.
        return;
    }
  }

  #refused(stream: number, body: Buffer): void {
    const { code, message } = decodeJson(refusedSchema, body);
    const error = new ClientError(code, message);
    this.#turns.get(stream)?.events.end(error);
    this.#awaited.get(stream)?.reject(error);
  }

  #endStream(stream: number): void {
    const turn = this.#turns.get(stream);
    turn?.events.push({ type: "end" });
    turn?.events.end();
    this.#turns.delete(stream);
    this.#awaited.delete(stream);
  }

  /** What is asked after the end would never be answered. */
  #assertOpen(): void {
    if (this.#tunnel.end) throw this.#finalError(this.#tunnel.end);
  }

  /** The worker's authenticated word, where it gave one, counts more than how the line ended. */
  #finalError(error: ClientError): ClientError {
    if (!this.#closing) return error;
    return new ClientError(
      "ERR_CONVERSATION_ENDED",
      `the conversation has ended (${this.#closing})`,
    );
  }

  #end(error: ClientError): void {
    const final = this.#finalError(error);
    for (const { events } of this.#turns.values()) events.end(final);
    for (const { reject } of this.#awaited.values()) reject(final);
    this.#opened.reject(final);
    this.#closed.resolve(this.#closing ?? error);
  }
}

function assertFits(bytes: number): void {
  if (bytes > MAX_REQUEST_BYTES)
    throw new ClientError("ERR_LIMIT", `${bytes} bytes; at most ${MAX_REQUEST_BYTES} can be sent`);
}
