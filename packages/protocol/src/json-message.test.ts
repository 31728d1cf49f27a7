/** JSON messages: strict text, and errors that name a field but never quote what was in it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { controlRequestSchema, controlResponseSchema } from "./control-messages.ts";
import { decodeJson, decodeText, encodeJson } from "./json-message.ts";
import {
  attachHeaderSchema,
  finishSchema,
  openSchema,
  refusedSchema,
  turnSchema,
} from "./task-messages.ts";
import { refusalSchema } from "./upgrade.ts";

const coded = (code: string) => expect.objectContaining({ name: "ProtocolError", code });
const schema = z.strictObject({ text: z.string(), more: z.array(z.int()).exactOptional() });

test("a message is its kind and its JSON", () => {
  expect(encodeJson(0x83, { text: "é" })).toEqual(
    Buffer.concat([Buffer.of(0x83), Buffer.from(`{"text":"é"}`)]),
  );
});

test("what was encoded is decoded, without the kind", () => {
  const value = { text: "line\n\u0000 \u{1f600} \ufeff", more: [1, 2] };
  expect(decodeJson(schema, encodeJson(1, value).subarray(1))).toEqual(value);
});

describe("text", () => {
  test.each([
    ["a lone continuation byte", [0x80]],
    ["an overlong encoding", [0xc0, 0xaf]],
    ["a surrogate", [0xed, 0xa0, 0x80]],
    ["a character beyond Unicode", [0xf4, 0x90, 0x80, 0x80]],
    ["a cut character", [0x61, 0xe2, 0x82]],
  ])("with %s is refused", (_name, bytes) => {
    expect(() => decodeText(Buffer.from(bytes))).toThrow(coded("ERR_INVALID_UTF8"));
    const json = Buffer.concat([Buffer.from(`{"text":"`), Buffer.from(bytes), Buffer.from(`"}`)]);
    expect(() => decodeJson(schema, json)).toThrow(coded("ERR_INVALID_UTF8"));
  });

  test("keeps a byte order mark, so that nothing changes on the way", () => {
    expect(decodeText(Buffer.from([0xef, 0xbb, 0xbf, 0x61]))).toBe("\ufeffa");
  });
});

test.each([
  ["nothing", "", "the message is not JSON"],
  ["half of JSON", `{"text":`, "the message is not JSON"],
  ["another type", "[]", "the message: invalid_type"],
  ["a missing field", "{}", "text: invalid_type"],
  ["a field too many", `{"text":"","x":1}`, "the message: unrecognized_keys"],
  ["a wrong item", `{"text":"","more":[1,"x"]}`, "more.1: invalid_type"],
])("%s is refused, and the error says where", (_name, text, where) => {
  const error = expect.objectContaining({ code: "ERR_INVALID_MESSAGE", message: where });
  expect(() => decodeJson(schema, Buffer.from(text))).toThrow(error);
});

test("no error quotes the message, whatever was wrong with it", () => {
  const canary = "CANARY-c4b1e0";
  const word = fc.constantFrom("text", "mode", "history", "role", "sampling", "stop", "request");
  const other = fc.constantFrom("code", "message", "name", "attachments", "documents", "response");
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constant(canary),
      fc.constant({ [canary]: canary }),
      fc.integer(),
      fc.constantFrom("turn", "conversation", "refused", "receipts", "user", true, null),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(fc.oneof(word, other, fc.constant(canary)), tie("value"), { maxKeys: 5 }),
    ),
  }));
  const schemas = [
    openSchema,
    turnSchema,
    attachHeaderSchema,
    finishSchema,
    refusedSchema,
    refusalSchema,
    controlRequestSchema,
    controlResponseSchema,
  ] as z.ZodType[];
  let refused = 0;
  fc.assert(
    fc.property(fc.constantFrom(...schemas), value, fc.nat(20), (one, body, cut) => {
      const json = Buffer.from(JSON.stringify(body));
      for (const untrusted of [json, json.subarray(0, -cut), Buffer.concat([json, json])]) {
        try {
          decodeJson(one, untrusted);
        } catch (error) {
          refused += 1;
          expect(error).toEqual(expect.objectContaining({ name: "ProtocolError" }));
          const { message, stack, cause } = error as Error;
          expect(`${message}${stack}${String(cause)}`).not.toContain(canary);
        }
      }
    }),
    { numRuns: 500 },
  );
  expect(refused).toBeGreaterThan(500);
});
