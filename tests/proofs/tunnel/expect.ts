/**
 * What an attack must see, said in one line; everything else throws and becomes the row's detail.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { ClientError, type ClientErrorCode } from "@phantoma/client";

/** Generous: a correct node on a busy machine, never a measure of speed. */
export const PATIENCE_MS = 30_000;

export class Unexpected extends Error {
  override readonly name = "Unexpected";
}

export function expect(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Unexpected(otherwise);
}

export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  expect(actual === expected, `${what} is ${String(actual)}, not ${String(expected)}`);
}

/** @returns the close code, for the row's detail */
export function endsWith(expected: number, actual: number): string {
  expectEqual(actual, expected, "the close code");
  return `close code ${actual}`;
}

/** @returns the code, for the row's detail */
export async function expectRefusal(
  code: ClientErrorCode,
  attempt: Promise<unknown>,
  limitMs = PATIENCE_MS,
): Promise<ClientErrorCode> {
  const outcome = await within(
    limitMs,
    attempt.then(
      () => undefined,
      (error: unknown) => error,
    ),
    "a refusal",
  );
  if (!(outcome instanceof ClientError))
    throw new Unexpected(
      outcome ? `not a client's error: ${(outcome as Error).message}` : "it was accepted",
    );
  expectEqual(outcome.code, code, "the error");
  return outcome.code;
}

export async function within<T>(limitMs: number, wanted: Promise<T>, what: string): Promise<T> {
  const timer = new AbortController();
  const late = sleep(limitMs, undefined, { signal: timer.signal }).then(() => {
    throw new Unexpected(`${what} did not come in ${limitMs} ms`);
  });
  try {
    return await Promise.race([wanted, late]);
  } finally {
    late.catch(() => undefined);
    timer.abort();
  }
}

/** Looks again and again until `condition` holds. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  limitMs = PATIENCE_MS,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await condition())) {
    expect(performance.now() < deadline, `${what} did not happen in ${limitMs} ms`);
    await sleep(25);
  }
}
