/**
 * Connecting again: soon at first, then less and less often, never all at once.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { ClientError, type ClientErrorCode } from "./client-error.ts";

const FIRST_DELAY_MS = 250;
const LAST_DELAY_MS = 10_000;

/** Failures that may be over in a moment; every other one would only be repeated. */
const passing: ReadonlySet<ClientErrorCode> = new Set([
  "ERR_UNREACHABLE",
  "ERR_CONNECTION_LOST",
  "ERR_BUSY",
  "ERR_TIMEOUT",
  "ERR_UNAVAILABLE",
]);

/** Delay before attempt `attempt` (0, 1, 2, …), in milliseconds: doubling, with a random half. */
export function retryDelayMs(attempt: number, random: () => number = Math.random): number {
  const delay = Math.min(FIRST_DELAY_MS * 2 ** attempt, LAST_DELAY_MS);
  return delay / 2 + (delay / 2) * random();
}

export function isPassing(error: unknown): boolean {
  return error instanceof ClientError && passing.has(error.code);
}

/** Repeats `connect` while its failures are passing. @throws what the last attempt threw */
export async function withRetry<T>(
  connect: () => Promise<T>,
  options: {
    readonly attempts: number;
    readonly signal?: AbortSignal;
    readonly onRetry?: (error: ClientError, delayMs: number) => void;
  },
): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await connect();
    } catch (error) {
      if (!isPassing(error) || attempt + 1 >= options.attempts) throw error;
      const delay = retryDelayMs(attempt);
      options.onRetry?.(error as ClientError, delay);
      await sleep(delay, undefined, options.signal ? { signal: options.signal } : {});
    }
  }
}
