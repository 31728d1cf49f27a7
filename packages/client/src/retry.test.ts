/** Connecting again: how long between attempts, which failures, and when it is given up. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ClientError, type ClientErrorCode } from "./client-error.ts";
import { isPassing, retryDelayMs, withRetry } from "./retry.ts";

const none = () => 0;
const most = () => 1;

test("the delay doubles from 250 ms to 10 s", () => {
  const delays = [0, 1, 2, 3, 4, 5, 6, 50].map((attempt) => retryDelayMs(attempt, most));
  expect(delays).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
});

test("half of it is random, so that not all come back at once", () => {
  expect([retryDelayMs(0, none), retryDelayMs(0, () => 0.5), retryDelayMs(9, none)]).toEqual([
    125, 187.5, 5_000,
  ]);
  const drawn = new Set(Array.from({ length: 20 }, () => retryDelayMs(3)));
  expect(drawn.size).toBeGreaterThan(1);
});

test.each([
  ["ERR_UNREACHABLE", true],
  ["ERR_CONNECTION_LOST", true],
  ["ERR_BUSY", true],
  ["ERR_TIMEOUT", true],
  ["ERR_UNAVAILABLE", true],
  ["ERR_PIN_MISMATCH", false],
  ["ERR_NODE_IDENTITY", false],
  ["ERR_HANDSHAKE", false],
  ["ERR_DEVICE_REVOKED", false],
  ["ERR_TICKET_REFUSED", false],
  ["ERR_LIMIT", false],
] as const)("whether %s may pass: %s", (code, passes) => {
  expect(isPassing(new ClientError(code, ""))).toBe(passes);
});

test("an error that is not ours does not pass", () => {
  expect([isPassing(new Error("ERR_BUSY")), isPassing(undefined)]).toEqual([false, false]);
});

describe("withRetry", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** Fails with these codes in order, then connects. */
  function connecting(...codes: ClientErrorCode[]) {
    let attempt = 0;
    return vi.fn(async () => {
      const code = codes[attempt++];
      if (code) throw new ClientError(code, "");
      return "connected";
    });
  }

  test("gives the first success", async () => {
    const connect = connecting("ERR_BUSY", "ERR_UNREACHABLE");
    const delays: number[] = [];
    const onRetry = (_error: ClientError, delay: number) => void delays.push(delay);
    const result = withRetry(connect, { attempts: 5, onRetry });
    await vi.runAllTimersAsync();
    expect(await result).toBe("connected");
    expect(connect).toHaveBeenCalledTimes(3);
    expect(delays).toHaveLength(2);
    expect(delays[1]).toBeGreaterThanOrEqual(250);
  });

  test("throws the last failure after its attempts", async () => {
    const connect = connecting("ERR_TIMEOUT", "ERR_BUSY", "ERR_UNREACHABLE");
    const result = withRetry(connect, { attempts: 2 });
    const failure = expect(result).rejects.toMatchObject({ code: "ERR_BUSY" });
    await vi.runAllTimersAsync();
    await failure;
    expect(connect).toHaveBeenCalledTimes(2);
  });

  test("does not repeat what would only fail again", async () => {
    const connect = connecting("ERR_PIN_MISMATCH");
    await expect(withRetry(connect, { attempts: 5 })).rejects.toMatchObject({
      code: "ERR_PIN_MISMATCH",
    });
    expect(connect).toHaveBeenCalledOnce();
  });

  test("is given up by its signal", async () => {
    const giveUp = new AbortController();
    const connect = connecting("ERR_BUSY", "ERR_BUSY");
    const result = withRetry(connect, { attempts: 9, signal: giveUp.signal });
    const failure = expect(result).rejects.toMatchObject({ name: "AbortError" });
    await vi.advanceTimersByTimeAsync(0);
    giveUp.abort();
    await failure;
    expect(connect).toHaveBeenCalledOnce();
  });
});
