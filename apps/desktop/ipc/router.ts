/**
 * The one place where both shells check who asks, for what, and with what.
 *
 *   sender ──ours, top frame, our origin──> name ──in the list──> input ──of its schema──> handler
 *
 * Whatever comes in, a result goes out: a refusal has a code, and nothing thrown reaches a shell.
 *
 * @module
 */
import type { z } from "zod";
import type { ConsoleError, Result } from "./console-error.ts";
import { refused, type Refusal } from "./error-codes.ts";
import {
  requests,
  streams,
  type RequestName,
  type RequestOutput,
  type StreamEvent,
  type StreamName,
} from "./contract.ts";

/** Who asks, as the shell saw it; nothing of it comes from the message. */
export interface Sender {
  /** Electron: a window of our factory. Web: the cookie of this console. */
  readonly isOurs: boolean;
  readonly isTopFrame: boolean;
  readonly origin: string | null;
}

/** What a handler is given: the schema's output. */
type Parsed<T extends { input: z.ZodType }> = z.output<T["input"]>;

export type RequestHandlers = {
  readonly [N in RequestName]: (input: Parsed<(typeof requests)[N]>) => Promise<RequestOutput<N>>;
};

export type StreamHandlers = {
  readonly [N in StreamName]: (
    input: Parsed<(typeof streams)[N]>,
    send: (event: StreamEvent<N>) => void,
    signal: AbortSignal,
  ) => Promise<void>;
};

export interface RouterOptions {
  readonly origin: string;
  readonly requests: RequestHandlers;
  readonly streams: StreamHandlers;
  /** What the page is told of an exception. */
  readonly errorOf: (error: unknown) => ConsoleError;
  /** A fault of ours, for the log: a name, never content. */
  readonly onFault?: (route: string, error: unknown) => void;
}

/** A page asks a few things at once; a page gone wrong asks thousands. */
const MAX_LIVE_REQUESTS = 64;

/** One answer is under way in each of a few conversations. */
const MAX_LIVE_STREAMS = 16;

export class Router {
  readonly #options: RouterOptions;
  #liveRequests = 0;
  #liveStreams = 0;

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async request(sender: Sender, name: unknown, untrusted: unknown): Promise<Result<unknown>> {
    const refusal = this.#refusal(sender);
    if (refusal) return refusal;
    if (!isNameIn(requests, name)) return refused("ERR_ROUTE", "there is no such request");
    if (this.#liveRequests >= MAX_LIVE_REQUESTS)
      return refused("ERR_OVERLOADED", `${MAX_LIVE_REQUESTS} requests are under way`);
    const input = parse(requests[name].input, untrusted);
    if (!input.ok) return input;
    this.#liveRequests += 1;
    try {
      const handler = this.#options.requests[name] as (input: unknown) => Promise<unknown>;
      // What is not in the contract does not reach the page, even where a handler says too much.
      return { ok: true, data: requests[name].output.parse(await handler(input.data)) };
    } catch (error) {
      return { ok: false, error: this.#errorOf(name, error) };
    } finally {
      this.#liveRequests -= 1;
    }
  }

  /**
   * Resolves when the stream is over. Every failure is sent as an `error` event. Never rejects.
   *
   * @param signal fires when the page closes the stream
   */
  async stream(
    sender: Sender,
    name: unknown,
    untrusted: unknown,
    send: (event: unknown) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const fail = (error: ConsoleError) => {
      if (!signal.aborted) send({ type: "error", error, answer: null });
    };
    const refusal = this.#refusal(sender);
    if (refusal) return fail(refusal.error);
    if (!isNameIn(streams, name)) return fail(refused("ERR_ROUTE", "no such stream").error);
    if (this.#liveStreams >= MAX_LIVE_STREAMS)
      return fail(refused("ERR_OVERLOADED", `${MAX_LIVE_STREAMS} streams are open`).error);
    const input = parse(streams[name].input, untrusted);
    if (!input.ok) return fail(input.error);
    this.#liveStreams += 1;
    try {
      const sendOpen = (event: unknown) => {
        if (!signal.aborted) send(event);
      };
      const handler = this.#options.streams[name] as (
        ...of: [input: unknown, send: (event: unknown) => void, signal: AbortSignal]
      ) => Promise<void>;
      await handler(input.data, sendOpen, signal);
    } catch (error) {
      fail(this.#errorOf(name, error));
    } finally {
      this.#liveStreams -= 1;
    }
  }

  #refusal({ isOurs, isTopFrame, origin }: Sender): Refusal | undefined {
    if (isOurs && isTopFrame && origin === this.#options.origin) return undefined;
    return refused("ERR_FORBIDDEN_SENDER", "this request did not come from the console's page");
  }

  #errorOf(route: string, error: unknown): ConsoleError {
    const shown = this.#options.errorOf(error);
    if (shown.code === "ERR_INTERNAL") this.#options.onFault?.(route, error);
    return shown;
  }
}

function isNameIn<T extends object>(table: T, untrusted: unknown): untrusted is keyof T & string {
  return typeof untrusted === "string" && Object.hasOwn(table, untrusted);
}

/** The refusal names the field that is wrong, never its content. */
function parse<S extends z.ZodType>(
  schema: S,
  untrusted: unknown,
): { readonly ok: true; readonly data: z.output<S> } | Refusal {
  try {
    const parsed = schema.safeParse(untrusted);
    if (parsed.success) return { ok: true, data: parsed.data };
    const path = parsed.error.issues[0]?.path.map(String).join(".").slice(0, 100);
    return refused("ERR_VALIDATION", `${path || "the input"} is not what it should be`);
  } catch {
    // A value that throws when it is looked at.
    return refused("ERR_VALIDATION", "the input cannot be read");
  }
}
