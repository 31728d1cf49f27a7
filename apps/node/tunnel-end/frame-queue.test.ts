/** Frames read as a story: in order, of the kind that is due, in time. */
import { afterEach, expect, test, vi } from "vitest";
import { FrameQueue } from "./frame-queue.ts";

afterEach(() => vi.useRealTimers());

const frame = (kind: number, text = "") => ({ kind, body: Buffer.from(text) });

test("a frame may come before it is wanted, or after", async () => {
  const queue = new FrameQueue();
  queue.push(frame(1, "early"));
  expect((await queue.take(1)).toString()).toBe("early");
  const late = queue.take(2);
  queue.push(frame(2, "late"));
  expect((await late).toString()).toBe("late");
});

test("a frame keeps its bytes when the link's buffer is used again", async () => {
  const queue = new FrameQueue();
  const waiting = frame(1, "mine");
  queue.push(waiting);
  waiting.body.fill(0);
  expect((await queue.take(1)).toString()).toBe("mine");
});

test("a frame of another kind is refused, early or late", async () => {
  const queue = new FrameQueue();
  queue.push(frame(3));
  await expect(queue.take(1)).rejects.toThrow(RangeError);
  const wanted = queue.take(1);
  queue.push(frame(3));
  await expect(wanted).rejects.toThrow(RangeError);
});

test("a frame that does not come in time is given up, and one in time is not", async () => {
  vi.useFakeTimers();
  const queue = new FrameQueue();
  const inTime = queue.take(1, 100);
  vi.advanceTimersByTime(99);
  queue.push(frame(1));
  await inTime;
  const late = expect(queue.take(1, 100)).rejects.toThrow(RangeError);
  vi.advanceTimersByTime(100);
  await late;
});

test("a handler gets what waited first, then everything as it comes", () => {
  const queue = new FrameQueue();
  const kinds: number[] = [];
  queue.push(frame(1));
  queue.push(frame(2));
  queue.handle(({ kind }) => kinds.push(kind));
  queue.push(frame(3));
  expect(kinds).toEqual([1, 2, 3]);
});
