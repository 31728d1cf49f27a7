/** The clock of steady answers: asks ahead of each tick, one tick at a time, no burst after a stall. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { TickClock } from "./tick-clock.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Writes down what it was told and when, in milliseconds. */
function listener() {
  const said: string[] = [];
  const start = performance.now();
  const now = () => Math.round(performance.now() - start);
  return { said, ask: () => said.push(`ask ${now()}`), tick: () => said.push(`tick ${now()}`) };
}

test("every tick is asked for ahead of it, and comes at its interval", () => {
  const clock = new TickClock(10, 2);
  const paced = listener();
  clock.add(paced);
  vi.advanceTimersByTime(31);
  expect(paced.said).toEqual(["ask 8", "tick 10", "ask 18", "tick 20", "ask 28", "tick 30"]);
});

test("it asks at most half an interval ahead", () => {
  const clock = new TickClock(4, 100);
  const paced = listener();
  clock.add(paced);
  vi.advanceTimersByTime(4);
  expect(paced.said).toEqual(["ask 2", "tick 4"]);
});

test("all that are paced share one clock, also who comes later", () => {
  const clock = new TickClock(10, 2);
  const [first, second] = [listener(), listener()];
  clock.add(first);
  vi.advanceTimersByTime(9);
  clock.add(second);
  vi.advanceTimersByTime(11);
  expect(first.said).toEqual(["ask 8", "tick 10", "ask 18", "tick 20"]);
  expect(second.said).toEqual(["tick 10", "ask 18", "tick 20"]);
});

test("who is removed hears nothing more, and the clock rests when nobody is left", () => {
  const clock = new TickClock(10, 2);
  const [first, second] = [listener(), listener()];
  clock.add(first);
  clock.add(second);
  vi.advanceTimersByTime(10);
  clock.remove(first);
  vi.advanceTimersByTime(10);
  expect(first.said).toHaveLength(2);
  expect(second.said).toHaveLength(4);
  clock.remove(second);
  clock.remove(second);
  expect(vi.getTimerCount()).toBe(0);
  clock.add(first);
  vi.advanceTimersByTime(10);
  expect(first.said.slice(2)).toEqual(["ask 28", "tick 30"]);
});

test("a stall costs its ticks: there is no burst to catch up", () => {
  const clock = new TickClock(10, 2);
  const paced = listener();
  clock.add(paced);
  vi.advanceTimersByTime(10);
  const stalled = vi.spyOn(performance, "now").mockImplementation(() => clockTime);
  let clockTime = 105;
  const at: string[] = [];
  const late = { ask: () => at.push("ask"), tick: () => at.push("tick") };
  clock.add(late);
  vi.advanceTimersByTime(8);
  vi.advanceTimersByTime(1);
  expect(at).toEqual(["ask", "tick"]);
  // The next tick is due 2 ms from the clock's new time, not at once ten times over.
  vi.advanceTimersByTime(1);
  expect(at).toEqual(["ask", "tick", "ask"]);
  clockTime += 2;
  vi.advanceTimersByTime(2);
  expect(at).toEqual(["ask", "tick", "ask", "tick"]);
  clockTime += 1;
  vi.advanceTimersByTime(1);
  expect(at).toHaveLength(4);
  stalled.mockRestore();
});

test("the clock goes on for others when one removes itself while it is asked", () => {
  const clock = new TickClock(10, 2);
  const leaving = { ask: () => clock.remove(leaving), tick: () => undefined };
  clock.add(leaving);
  vi.advanceTimersByTime(10);
  expect(vi.getTimerCount()).toBe(0);
  const paced = listener();
  clock.add(paced);
  vi.advanceTimersByTime(10);
  expect(paced.said).toHaveLength(2);
});
