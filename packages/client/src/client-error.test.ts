/** Every failure has one thing to do about it, and every word of a node has a failure. */
import { CloseCode, controlRefusals, refusals, taskRefusals } from "@phantoma/protocol";
import { expect, test } from "vitest";
import { advice, ClientError } from "./client-error.ts";
import { closeError } from "./gateway-connection.ts";

test.each([...Object.keys(refusals), ...taskRefusals, ...controlRefusals])(
  "the node's refusal %s has an advice",
  (code) => {
    expect(advice[code as keyof typeof advice]).toMatch(/^[a-z].*[^.]$/);
  },
);

test("an error carries its advice", () => {
  const error = new ClientError("ERR_BUSY", "no worker");
  expect([error.name, error.code, error.message, error.action]).toEqual([
    "ClientError",
    "ERR_BUSY",
    "no worker",
    advice.ERR_BUSY,
  ]);
});

const lost = "the connection was lost";

test.each(Object.entries(CloseCode))(
  "the close code %s (%i) has a meaning of its own",
  (_n, code) => {
    expect(closeError(code).message).not.toBe(lost);
  },
);

test.each([
  [CloseCode.done, "ERR_CONVERSATION_ENDED"],
  [CloseCode.timeout, "ERR_CONVERSATION_ENDED"],
  [CloseCode.crypto, "ERR_HANDSHAKE"],
  [CloseCode.limit, "ERR_LIMIT"],
  [CloseCode.died, "ERR_CONNECTION_LOST"],
  [CloseCode.goingAway, "ERR_CONNECTION_LOST"],
  [CloseCode.busy, "ERR_BUSY"],
  [CloseCode.revoked, "ERR_DEVICE_REVOKED"],
  [CloseCode.model, "ERR_MODEL_FAILED"],
] as const)("the close code %i means %s", (code, meaning) => {
  expect(closeError(code).code).toBe(meaning);
});

test.each([1006, 1011, 4000, 4999, 0])("any other close code, %i, is a lost connection", (code) => {
  expect(closeError(code)).toMatchObject({ code: "ERR_CONNECTION_LOST", message: lost });
});
