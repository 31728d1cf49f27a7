/** A memory of used tickets: no second use while one could be accepted, and no forgetting under load. */
import { expect, test } from "vitest";
import { MAX_REMEMBERED_PER_DEVICE, MAX_REMEMBERED_TICKETS, UsedTickets } from "./used-tickets.ts";

const hash = (number: number) => {
  const bytes = Buffer.alloc(32);
  bytes.writeUInt32BE(number);
  return bytes;
};

const DEVICE = Buffer.alloc(32, 1);
const deviceOf = (number: number) => Buffer.alloc(32, number % 64);

test("a ticket is used once, and another does not matter", () => {
  const used = new UsedTickets(1_000);
  expect([
    used.use(hash(1), DEVICE, 0),
    used.use(hash(1), DEVICE, 0),
    used.use(hash(2), DEVICE, 0),
  ]).toEqual(["first", "again", "first"]);
});

test("a ticket is remembered to the last millisecond of its lifetime and then forgotten", () => {
  const used = new UsedTickets(1_000);
  used.use(hash(1), DEVICE, 500);
  expect(used.use(hash(1), DEVICE, 1_500)).toBe("again");
  expect(used.use(hash(1), DEVICE, 1_501)).toBe("first");
});

test("a refused use does not lengthen the memory", () => {
  const used = new UsedTickets(1_000);
  used.use(hash(1), DEVICE, 0);
  used.use(hash(1), DEVICE, 900);
  expect(used.use(hash(1), DEVICE, 1_001)).toBe("first");
});

test("a full memory refuses rather than forgets, until the oldest have run out", () => {
  const used = new UsedTickets(1_000);
  used.use(hash(0), DEVICE, 0);
  for (let number = 1; number < MAX_REMEMBERED_TICKETS; number += 1)
    expect(used.use(hash(number), deviceOf(number), 1)).toBe("first");
  expect(used.use(hash(MAX_REMEMBERED_TICKETS), DEVICE, 1_000)).toBe("full");
  expect(used.use(hash(0), DEVICE, 1_000)).toBe("again");
  expect(used.use(hash(MAX_REMEMBERED_TICKETS), DEVICE, 1_001)).toBe("first");
  expect(used.use(hash(1), DEVICE, 1_001)).toBe("again");
});

test("one device fills its own share and leaves the others theirs", () => {
  const used = new UsedTickets(1_000);
  for (let number = 0; number < MAX_REMEMBERED_PER_DEVICE; number += 1)
    expect(used.use(hash(number), DEVICE, 0)).toBe("first");
  expect(used.use(hash(MAX_REMEMBERED_PER_DEVICE), DEVICE, 0)).toBe("full");
  expect(used.use(hash(MAX_REMEMBERED_PER_DEVICE), deviceOf(2), 0)).toBe("first");
  expect(used.use(hash(MAX_REMEMBERED_PER_DEVICE + 1), DEVICE, 1_001)).toBe("first");
});
