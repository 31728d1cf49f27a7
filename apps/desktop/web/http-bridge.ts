/**
 * The bridge over HTTP: requests as POST, streams as responses that are read as they come.
 *
 * @module
 */
import { refused } from "../ipc/error-codes.ts";
import type { Bridge, ConsoleEvent } from "../ipc/contract.ts";
import { readLines } from "./lines.ts";

/** Between attempts to hear events again, in milliseconds. */
const RETRY_MS = 1_000;

const unreachable = refused("ERR_CONSOLE_UNREACHABLE", "the console does not answer");

export function makeBridge(base: string, fetch = globalThis.fetch.bind(globalThis)): Bridge {
  const post = (path: string, body: unknown, signal?: AbortSignal) =>
    fetch(base + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      ...(signal ? { signal } : {}),
    });
  const listeners = new Set<(event: ConsoleEvent) => void>();
  const tell = (event: ConsoleEvent) => listeners.forEach((listener) => listener(event));
  let isListening = false;

  return {
    request: async (name, input) => {
      try {
        const response = await post("api/request", { name, input });
        return (await response.json()) as never;
      } catch {
        return unreachable;
      }
    },
    openStream: (name, input, onEvent, onClosed) => {
      const closing = new AbortController();
      const read = async () => {
        try {
          const response = await post("api/stream", { name, input }, closing.signal);
          for await (const event of readLines(response.body!)) onEvent(event as never);
        } catch {
          const { error } = unreachable;
          if (!closing.signal.aborted) onEvent({ type: "error", error, answer: null } as never);
        } finally {
          onClosed();
        }
      };
      void read();
      return () => closing.abort();
    },
    subscribe: (listener) => {
      listeners.add(listener);
      if (!isListening) void listen(post, tell);
      isListening = true;
      return () => void listeners.delete(listener);
    },
  };
}

/** Hears events as long as the page lives, and says when the console cannot be heard. */
async function listen(
  post: (path: string, body: unknown) => Promise<Response>,
  tell: (event: ConsoleEvent) => void,
): Promise<never> {
  let isConnected = true;
  for (;;) {
    try {
      const response = await post("api/events", {});
      if (response.ok) {
        if (!isConnected) tell({ event: "console.connection", isConnected: true });
        isConnected = true;
        for await (const event of readLines(response.body!)) tell(event as ConsoleEvent);
      }
    } catch {
      // Told below: whatever it was, nothing is heard.
    }
    if (isConnected) tell({ event: "console.connection", isConnected: false });
    isConnected = false;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}
