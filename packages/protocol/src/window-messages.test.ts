/** What a node says of its window, at its bounds and one past them. */
import { MAX_ENDPOINTS, MAX_FILES } from "@phantoma/crypto";
import { expect, test } from "vitest";
import { transferFailures, transferSchema, windowSchema } from "./window-messages.ts";

const times = <T>(count: number, value: T) => Array.from({ length: count }, () => value);

const digest = "0a".repeat(32);
const endpoint = { name: "models.test", address: "192.0.2.1", port: 443 };
const file = { name: "/a/model.gguf", digest, bytes: 1 };
const open = { counter: "1", notAfter: 1, endpoints: [endpoint], files: [file] };
const transfer = { ...file, received: 0, state: "waiting", error: null };
const window = { open, highestCounter: "1", transfers: [transfer] };

test.each([
  ["none open", { open: null, transfers: [] }, true],
  [
    "as many endpoints as an order",
    { open: { ...open, endpoints: times(MAX_ENDPOINTS, endpoint) } },
    true,
  ],
  ["an endpoint more", { open: { ...open, endpoints: times(MAX_ENDPOINTS + 1, endpoint) } }, false],
  ["as many files as an order", { open: { ...open, files: times(MAX_FILES, file) } }, true],
  ["a file more", { open: { ...open, files: times(MAX_FILES + 1, file) } }, false],
  ["a transfer more", { transfers: times(MAX_FILES + 1, transfer) }, false],
  ["the largest counter", { highestCounter: "18446744073709551615" }, true],
  ["a longer counter", { highestCounter: "184467440737095516150" }, false],
  ["a counter in two forms", { highestCounter: "01" }, false],
  ["a counter as a number", { highestCounter: 1 }, false],
  [
    "an address that is a name",
    { open: { ...open, endpoints: [{ ...endpoint, address: "x.test" }] } },
    false,
  ],
])("a window with %s", (_name, change, isTaken) => {
  expect(windowSchema.safeParse({ ...window, ...change }).success).toBe(isTaken);
});

test("a transfer fails with a code of the list and no other", () => {
  const failed = (error: string) =>
    transferSchema.safeParse({ ...transfer, state: "failed", error });
  for (const code of transferFailures) expect(failed(code).success).toBe(true);
  expect(failed("ERR_OTHER").success).toBe(false);
  expect(transferSchema.safeParse({ ...transfer, state: "lost" }).success).toBe(false);
});
