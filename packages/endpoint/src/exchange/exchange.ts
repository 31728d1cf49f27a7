/**
 * One request that came in at the door, and its answer.
 *
 * @module
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Conversation } from "@phantoma/client";
import type { Model } from "@phantoma/protocol";
import { countTokens } from "../conversations/count-tokens.ts";
import { generate, type Asked, type GenerationEvent } from "../conversations/generate.ts";
import type { LiveConversations } from "../conversations/live-conversations.ts";
import type { NodeLink } from "../conversations/node-link.ts";
import { asApiError, type ApiError } from "../request/api-error.ts";
import { readBody } from "../request/request-body.ts";
import { answerParts, type AnswerEvent } from "./answer-parts.ts";
import { EventStream } from "./event-stream.ts";

export class Exchange {
  readonly node: NodeLink;
  readonly events: EventStream;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #live: LiveConversations;
  readonly #keyName: string;
  readonly #gone = new AbortController();

  constructor(
    { request, response }: { request: IncomingMessage; response: ServerResponse },
    { node, live }: { node: NodeLink; live: LiveConversations },
    keyName: string,
  ) {
    this.node = node;
    this.events = new EventStream(response);
    this.#request = request;
    this.#response = response;
    this.#live = live;
    this.#keyName = keyName;
    response.once("close", () => this.#gone.abort());
  }

  get headers(): IncomingHttpHeaders {
    return this.#request.headers;
  }

  /** @throws {@link ApiError} */
  body(): Promise<Record<string, unknown>> {
    return readBody(this.#request);
  }

  /**
   * Begins to answer; returns with the first event, so that what fails before has a status of its own.
   *
   * Goes on to the end, also when the program goes away: the model is stopped then.
   *
   * @throws `ClientError`
   */
  async generate(asked: Asked): Promise<{ model: Model; parts: AsyncIterable<AnswerEvent> }> {
    const { model, place } = await this.#place(asked);
    const answers = generate(this.node, this.#live, { ...asked, ...place }, this.#gone.signal);
    const first = await answers.next();
    return { model, parts: answerParts(resumed(first, answers), asked.canCall) };
  }

  /**
   * A conversation that nobody else goes on with; it is dropped when the program goes away.
   *
   * @throws `ClientError`
   */
  async open(asked: string): Promise<{ model: Model; conversation: Conversation }> {
    const model = await this.node.model(asked);
    const { signal } = this.#gone;
    const conversation = await this.#live.openAlone(digestOf(model), this.node.opener(signal));
    signal.addEventListener("abort", () => conversation.drop(), { once: true });
    if (signal.aborted) conversation.drop();
    return { model, conversation };
  }

  /** @throws `ClientError` */
  async countTokens(asked: Pick<Asked, "model" | "messages" | "scope">): Promise<number> {
    const { place } = await this.#place(asked);
    return countTokens(this.node, this.#live, { ...asked, ...place }, this.#gone.signal);
  }

  answer(body: object): void {
    this.#end(200, body);
  }

  /** In the form that `write` gives it; a stream that has begun ends with it. */
  fail(error: ApiError, write: (error: ApiError) => object): void {
    if (this.#response.headersSent) {
      void this.events.send(write(error));
      this.#response.end();
      return;
    }
    // The official clients obey this header; without it they would repeat what cannot succeed.
    this.#response.setHeader("x-should-retry", String(error.isPassing));
    // What was not read to its end is not read at all.
    if (!this.#request.complete) this.#response.setHeader("connection", "close");
    this.#end(error.status, write(error));
  }

  /** Ends the stream with `send`'s last event, or with the error that cut it. */
  async whileStreaming(
    write: (error: ApiError) => object,
    send: () => Promise<void>,
  ): Promise<void> {
    try {
      await send();
      this.#response.end();
    } catch (error) {
      this.fail(asApiError(error), write);
    }
  }

  /** The model that is asked for, and among whose conversations this one is looked for. */
  async #place(asked: Pick<Asked, "model" | "scope">) {
    const model = await this.node.model(asked.model);
    // A key's name cannot contain the line break.
    const scope = `${this.#keyName}\n${asked.scope}`;
    return { model, place: { model: digestOf(model), scope } };
  }

  #end(status: number, body: object): void {
    if (this.#response.destroyed) return;
    const text = JSON.stringify(body);
    this.#response.writeHead(status, {
      "content-type": "application/json; charset=utf-8",
      "content-length": Buffer.byteLength(text),
      "cache-control": "no-store",
    });
    this.#response.end(text);
  }
}

function digestOf({ digest }: Model): Uint8Array {
  return Buffer.from(digest, "hex");
}

async function* resumed(
  first: IteratorResult<GenerationEvent, void>,
  rest: AsyncIterable<GenerationEvent>,
): AsyncGenerator<GenerationEvent, void, undefined> {
  if (first.done) return;
  yield first.value;
  yield* rest;
}
