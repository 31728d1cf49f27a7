/** The upgrade: what both ends bind, how a refusal is read, which close codes there are. */
import { describe, expect, test } from "vitest";
import { CloseCode, closeCodeOf, refusals, refusalSchema, tunnelPrologue } from "./upgrade.ts";

test("the prologue is the protocol's name, the node's key and the ticket's hash", () => {
  const [node, ticket] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  expect(tunnelPrologue(node, ticket)).toEqual(
    Buffer.concat([Buffer.from("PHANTOMA/1"), node, ticket]),
  );
});

test.each(Object.keys(refusals))("the refusal %s is read with the node's time", (code) => {
  const refusal = { code, nodeTime: 0 };
  expect(refusalSchema.parse(refusal)).toEqual(refusal);
});

test("every refusal has a status that no client takes for success or a redirect", () => {
  for (const status of Object.values(refusals)) expect(status).toBeGreaterThanOrEqual(400);
});

describe("a refusal is not believed", () => {
  test.each([
    { code: "ERR_OTHER", nodeTime: 1 },
    { code: "ERR_BUSY" },
    { code: "ERR_BUSY", nodeTime: -1 },
    { code: "ERR_BUSY", nodeTime: 1.5 },
    { code: "ERR_BUSY", nodeTime: 2 ** 53 },
    { code: "ERR_BUSY", nodeTime: "1" },
    { code: "ERR_BUSY", nodeTime: 1, message: "x" },
    { code: "toString", nodeTime: 1 },
  ])("when it is %j", (refusal) => {
    expect(refusalSchema.safeParse(refusal).success).toBe(false);
  });
});

test("close codes are distinct and of the ranges that WebSocket leaves to applications", () => {
  const codes: number[] = Object.values(CloseCode);
  expect(new Set(codes).size).toBe(codes.length);
  for (const code of codes) expect(code < 1002 || (code >= 4000 && code < 5000)).toBe(true);
});

test.each([0, 1, 5, 1005, 1006, 2000, 3999, 4000, 65_535])("%d is no close code", (number) => {
  expect(() => closeCodeOf(number)).toThrow(RangeError);
});

test("every close code of ours is one", () => {
  for (const code of Object.values(CloseCode)) expect(closeCodeOf(code)).toBe(code);
});
