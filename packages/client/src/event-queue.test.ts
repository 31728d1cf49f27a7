/** Events pushed by one side, pulled by the other: in order, to one end. */
import { expect, test } from "vitest";
import { EventQueue } from "./event-queue.ts";

async function all<T>(queue: EventQueue<T>): Promise<T[]> {
  const events: T[] = [];
  for await (const event of queue) events.push(event);
  return events;
}

test("events pushed before and during the iteration come in order", async () => {
  const queue = new EventQueue<number>();
  queue.push(1);
  const events = all(queue);
  queue.push(2);
  await Promise.resolve();
  queue.push(3);
  await new Promise(setImmediate);
  queue.push(4);
  queue.end();
  expect(await events).toEqual([1, 2, 3, 4]);
});

test("a failure comes after what was pushed before it", async () => {
  const queue = new EventQueue<number>();
  queue.push(1);
  queue.end(new Error("cut"));
  const events = queue[Symbol.asyncIterator]();
  expect(await events.next()).toEqual({ value: 1, done: false });
  await expect(events.next()).rejects.toThrow("cut");
});

test("a failure wakes who waits", async () => {
  const queue = new EventQueue<number>();
  const events = expect(all(queue)).rejects.toThrow("cut");
  await new Promise(setImmediate);
  queue.end(new Error("cut"));
  await events;
});

test("the first end counts, and nothing comes behind it", async () => {
  const queue = new EventQueue<number>();
  queue.push(1);
  queue.end();
  queue.end(new Error("late"));
  queue.push(2);
  expect(await all(queue)).toEqual([1]);
});
