/** How an answer leaves a worker: one equal record per ask up to its rounded end, or at once. */
import { bucketRecords, encodeJson, STEADY_RECORD_BYTES, TaskKind } from "@phantoma/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import { TestConversation } from "./test-conversation.ts";

const SEALED_BYTES = STEADY_RECORD_BYTES + 16;
const whole = (text: string) => [text, "stop", "end"];

let talk: TestConversation;
const asks = (count: number) => {
  for (let asked = 0; asked < count; asked += 1) talk.ask();
};

beforeEach(async () => {
  talk = await TestConversation.make();
});

describe("steadily", () => {
  beforeEach(() => talk.open({ steady: true }));

  test("nothing leaves but when it is asked for", async () => {
    await talk.turn(1, "Hi");
    expect(talk.frames).toEqual(["pace 1", "turn 1", "turn 0"]);
    expect(talk.recordSizes).toHaveLength(1);
    talk.ask();
    expect(talk.on(1)).toEqual(["Hello", "stop"]);
  });

  test("every record has one size, and the end fills the bucket", async () => {
    await talk.turn(1, "Hi");
    talk.recordSizes.length = 0;
    asks(39);
    expect(talk.on(1)).not.toContain("end");
    talk.ask();
    expect(talk.on(1)).toEqual(whole("Hello"));
    expect(talk.recordSizes).toEqual(Array.from({ length: 40 }, () => SEALED_BYTES));
    expect(talk.frames.at(-1)).toBe("pace 0");
  });

  test("an ask behind the end, or before any answer, is not answered", async () => {
    asks(1);
    await talk.turn(1, "Hi");
    asks(50);
    expect(talk.recordSizes).toHaveLength(1 + 40);
  });

  test.each([1, 200, 9_500, 9_700, 9_800, 20_000])(
    "an answer of %i bytes ends exactly with a bucket",
    async (length) => {
      const text = "x".repeat(length);
      talk.answer = async ({ say }) => {
        say(text);
        return "stop";
      };
      await talk.turn(1, "Hi");
      talk.recordSizes.length = 0;
      asks(1_000);
      expect(talk.on(1)).toEqual(whole(text));
      const records = talk.recordSizes.length;
      expect(bucketRecords(records)).toBe(records);
      expect(records * STEADY_RECORD_BYTES).toBeGreaterThan(length);
    },
  );

  test("deltas that wait for a tick travel as one", async () => {
    talk.answer = async ({ say }) => {
      for (const part of ["a", "b", "c"]) say(part);
      return "stop";
    };
    await talk.turn(1, "Hi");
    asks(40);
    expect(talk.on(1)).toEqual(whole("abc"));
  });

  test("a turn that begins while the last is rounded up ends that one and paces on", async () => {
    await talk.turn(1, "One");
    asks(10);
    await talk.turn(2, "Two");
    talk.ask();
    expect([talk.on(1), talk.on(2)]).toEqual([whole("Hello"), ["Hello", "stop"]]);
    asks(38);
    expect(talk.on(2)).toEqual(["Hello", "stop"]);
    asks(1);
    expect(talk.on(2)).toEqual(whole("Hello"));
    expect(talk.frames.filter((frame) => frame.startsWith("pace"))).toEqual(["pace 1", "pace 0"]);
  });

  test("what is said beside an answer waits for its tick too", async () => {
    await talk.turn(1, "Hi");
    const before = talk.recordSizes.length;
    talk.attach(2, "a", Buffer.from("a"));
    expect(talk.recordSizes).toHaveLength(before);
    talk.ask();
    expect(talk.on(2)).toEqual(["attached", "end"]);
    expect(talk.recordSizes.at(-1)).toBe(SEALED_BYTES);
  });

  test("outside an answer things are said at once, padded", () => {
    talk.attach(1, "a", Buffer.from("a"));
    expect(talk.on(1)).toEqual(["attached", "end"]);
    expect(talk.recordSizes).toEqual([1024 + 16, 1024 + 16]);
  });

  test("a closing is not kept waiting", async () => {
    await talk.turn(1, "Hi");
    talk.send(0, encodeJson(TaskKind.end, {}).subarray(0, 1));
    expect(talk.on(0)).toEqual(["opened", "ended", "end"]);
  });
});

test("unsteadily, everything leaves at once in its own length, and nothing is paced", async () => {
  talk.open({ steady: false });
  await talk.turn(1, "Hi");
  expect(talk.on(1)).toEqual(whole("Hello"));
  expect(talk.frames).toEqual(["turn 1", "turn 0"]);
  expect(talk.recordSizes.at(1)).toBe(16 + 5 + 1 + "Hello".length);
  asks(3);
  expect(talk.recordSizes).toHaveLength(3);
});
