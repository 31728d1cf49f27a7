import { expect, test } from "vitest";
import { RateLimit } from "./rate-limit.ts";

test("a burst is let through, and then as many as come back", () => {
  let now = 0;
  const limit = new RateLimit({ burst: 2, perSecond: 0.5 }, () => now);
  limit.take("a");
  limit.take("a");
  expect(() => limit.take("a")).toThrow(
    expect.objectContaining({ code: "ERR_RATE", retryAfterSeconds: 2 }),
  );
  limit.take("b");
  now = 2_000;
  limit.take("a");
  expect(() => limit.take("a")).toThrow(expect.objectContaining({ code: "ERR_RATE" }));
});

test("it remembers 100,000 names and forgets the one that was longest not heard", () => {
  const limit = new RateLimit({ burst: 1, perSecond: 0.001 }, () => 0);
  for (let i = 0; i < 100_000; i += 1) limit.take(`name ${i}`);
  expect(limit.size).toBe(100_000);
  limit.take("one more");
  expect(limit.size).toBe(100_000);
  expect(() => limit.take("name 1")).toThrow();
  limit.take("name 0");
});
