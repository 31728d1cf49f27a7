/**
 * One request that came in at the door, and its answer.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Conversation } from "@phantoma/client";
import type { Model } from "@phantoma/protocol";
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
    const model = await this.node.model(asked.model);
    const wanted = {
      ...asked,
      model: Buffer.from(model.digest, "hex"),
      // A key's name cannot contain the line break.
      scope: `${this.#keyName}\n${asked.scope}`,
    };
    const answers = generate(this.node, this.#live, wanted, this.#gone.signal);
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
    const digest = Buffer.from(model.digest, "hex");
    const { signal } = this.#gone;
    const conversation = await this.#live.openAlone(digest, (wanted, onQueued) =>
      this.node.open({ model: wanted.model }, onQueued, signal),
    );
    signal.addEventListener("abort", () => conversation.drop(), { once: true });
    if (signal.aborted) conversation.drop();
    return { model, conversation };
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

async function* resumed(
  first: IteratorResult<GenerationEvent, void>,
  rest: AsyncIterable<GenerationEvent>,
): AsyncGenerator<GenerationEvent, void, undefined> {
  if (first.done) return;
  yield first.value;
  yield* rest;
}
