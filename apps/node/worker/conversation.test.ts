/** A device's conversation with a fake model: what may be asked when, and what is answered. */
import {
  CloseCode,
  encodeJson,
  IDLE_TIMEOUT_MS,
  MAX_REQUEST_BYTES,
  MAX_SESSION_MS,
  TaskKind,
} from "@phantoma/protocol";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { EngineError, PromptTooLongError } from "./engine/engine.ts";
import { SealedPayloads } from "./sealed-payloads.ts";
import { settled, TestConversation } from "./test-conversation.ts";

const coded = (code: string) => expect.objectContaining({ name: "ProtocolError", code });
const unexpected = coded("ERR_UNEXPECTED");
const whole = (text: string) => [text, "stop", "end"];

let talk: TestConversation;
beforeEach(async () => {
  vi.useFakeTimers();
  talk = await TestConversation.make();
});
afterEach(() => void vi.useRealTimers());

describe("open", () => {
  test("is answered with what the worker is", () => {
    talk.open();
    expect(talk.heard).toEqual([
      {
        stream: 0,
        kind: "opened",
        body: { model: "test model", contextTokens: 4096, threads: 2, idleTimeoutMs: 120_000 },
      },
    ]);
  });

  test.each(["attach", "turn", "stop", "end", "opened"] as const)(
    "comes first: %s instead ends the session",
    (kind) => {
      expect(() => talk.send(1, encodeJson(TaskKind[kind], {}))).toThrow(unexpected);
    },
  );

  test("comes once, and on the session's stream", async () => {
    talk.open();
    expect(() => talk.open()).toThrow(unexpected);
    talk = await TestConversation.make();
    const open = encodeJson(TaskKind.open, { mode: "turn", steady: true, history: [] });
    expect(() => talk.send(1, open)).toThrow(unexpected);
  });

  test("of no schema ends the session", () => {
    expect(() => talk.open({ mode: "both" as "turn" })).toThrow(coded("ERR_INVALID_MESSAGE"));
  });

  test("brings what was said before", async () => {
    talk.open({
      history: [
        { role: "system", text: "Be kind." },
        { role: "user", text: "Hi" },
        { role: "assistant", text: "Hello" },
      ],
    });
    await talk.turn(1, "And now?");
    expect(talk.modelSaw).toEqual([
      "system: Be kind. | user: Hi | assistant: Hello | user: And now?",
    ]);
  });
});

describe("an embed", () => {
  beforeEach(() => talk.open());
  const embed = async (stream: number, body: object) => {
    talk.send(stream, encodeJson(TaskKind.embed, body));
    await settled();
  };

  test("is answered with a vector, and the conversation is as it was", async () => {
    await talk.turn(1, "One");
    await embed(2, { text: "abc" });
    const vector = Buffer.from(Float32Array.of(0.6, 0.8).buffer).toString("base64");
    expect(talk.heard.find(({ kind }) => kind === "embedded")!.body).toEqual({ tokens: 3, vector });
    expect(talk.frames).toEqual(["turn 1", "turn 0", "turn 1", "turn 0"]);
    await talk.turn(3, "Two");
    expect(talk.modelSaw.at(-1)).toBe("user: One | assistant: Hello | user: Two");
  });

  test.each([
    ["without a text", { text: "" }, "ERR_INVALID_MESSAGE"],
    ["that the model fails at", { text: "nowhere" }, "ERR_MODEL_FAILED"],
  ])("%s is refused, without a word of why", async (_, body, code) => {
    await embed(1, body);
    expect(talk.on(1)).toEqual([code, "end"]);
    expect(JSON.stringify(talk.heard)).not.toContain("secret");
  });

  test("during a turn is refused, and stopped in the queue it computes nothing", async () => {
    talk.isGateOpen = false;
    await talk.turn(1, "One");
    await embed(2, { text: "abc" });
    expect(talk.on(2)).toEqual(["ERR_BUSY", "end"]);
    talk.go();
    await settled();
    await embed(3, { text: "abc" });
    talk.stop();
    await settled();
    expect(talk.on(3)).toEqual(["ERR_BUSY", "end"]);
  });
});

describe("a count", () => {
  beforeEach(() => talk.open());
  const count = async (stream: number, body: object) => {
    talk.send(stream, encodeJson(TaskKind.count, body));
    await settled();
  };
  const counted = () =>
    talk.heard.filter(({ kind }) => kind === "counted").map(({ body }) => body.promptTokens);

  test("is of the conversation with one message more, and the conversation is as it was", async () => {
    await talk.turn(1, "One");
    await count(2, { text: "Two" });
    await count(3, { text: "Two", keep: 0 });
    expect(counted()).toEqual([3, 1]);
    await talk.turn(4, "Three");
    expect(talk.modelSaw.at(-1)).toBe("user: One | assistant: Hello | user: Three");
  });

  test("that does not fit is refused, and the conversation is as it was", async () => {
    await count(1, { text: "long" });
    expect(talk.on(1)).toEqual(["ERR_PROMPT_TOO_LONG", "end"]);
    await talk.turn(2, "One");
    expect(talk.modelSaw.at(-1)).toBe("user: One");
  });

  test("during a turn is refused", async () => {
    talk.isGateOpen = false;
    await talk.turn(1, "One");
    await count(2, { text: "Two" });
    expect(talk.on(2)).toEqual(["ERR_BUSY", "end"]);
  });
});

describe("what the model thought of a token", () => {
  beforeEach(() => {
    talk.open();
    talk.answer = async ({ say, logprobs }) => {
      const likely = { token: "Hi", logprob: -0.5 };
      logprobs?.onToken({ ...likely, top: [likely].slice(0, logprobs.top) });
      say("Hi");
      return "stop";
    };
  });
  const kinds = () => talk.heard.slice(1).map(({ kind }) => kind);

  test("comes before its text", async () => {
    await talk.turn(1, { text: "One", logprobs: 1 });
    expect(kinds()).toEqual(["logprobs", "delta", "finish", "end"]);
    expect(talk.heard[1]!.body).toEqual([
      ["Hi", -0.5],
      ["Hi", -0.5],
    ]);
  });

  test("is not told where nobody asks", async () => {
    await talk.turn(1, "One");
    expect(kinds()).toEqual(["delta", "finish", "end"]);
  });
});

describe("a turn", () => {
  beforeEach(() => talk.open());

  test("is answered in pieces, then with how it finished, then with its end", async () => {
    talk.answer = async ({ say }) => {
      say("Hel");
      say("lo ✓");
      return "length";
    };
    await talk.turn(1, "Hi");
    expect(talk.on(1)).toEqual(["Hel", "lo ✓", "length", "end"]);
    expect(talk.heard.find(({ kind }) => kind === "finish")!.body).toEqual({
      reason: "length",
      usage: { promptTokens: 9, reusedTokens: 4, completionTokens: 2 },
      timings: { promptMs: 1, firstTokenMs: 2, totalMs: 3 },
    });
  });

  test("sees the turns before it, and hands its sampling on", async () => {
    await talk.turn(1, "One");
    const sampling = { temperature: 0, stop: ["."] };
    let got: unknown;
    talk.answer = async (turn) => {
      got = turn.sampling;
      return "stop";
    };
    await talk.turn(2, { text: "Two", sampling });
    expect(talk.modelSaw.at(-1)).toBe("user: One | assistant: Hello | user: Two");
    expect(got).toEqual(sampling);
  });

  test("waits until the gateway lets it compute", async () => {
    talk.isGateOpen = false;
    await talk.turn(1, "Hi");
    expect([talk.frames, talk.modelSaw]).toEqual([["turn 1"], []]);
    talk.go();
    await settled();
    expect(talk.frames).toEqual(["turn 1", "turn 0"]);
    expect(talk.on(1)).toEqual(whole("Hello"));
  });

  test("during another is refused, and the other goes on", async () => {
    talk.isGateOpen = false;
    await talk.turn(1, "One");
    await talk.turn(2, "Two");
    expect(talk.on(2)).toEqual(["ERR_BUSY", "end"]);
    talk.go();
    await settled();
    expect(talk.on(1)).toEqual(whole("Hello"));
    talk.isGateOpen = true;
    await talk.turn(3, "Three");
    expect(talk.modelSaw.at(-1)).toBe("user: One | assistant: Hello | user: Three");
  });

  test("may go back: only what it keeps of the conversation stays", async () => {
    await talk.turn(1, "One");
    await talk.turn(2, "Two");
    await talk.turn(3, { text: "Other", keep: 2 });
    expect(talk.modelSaw.at(-1)).toBe("user: One | assistant: Hello | user: Other");
    await talk.turn(4, { text: "More", keep: 100 });
    expect(talk.modelSaw.at(-1)).toBe(
      "user: One | assistant: Hello | user: Other | assistant: Hello | user: More",
    );
    await talk.turn(5, { text: "New", keep: 0 });
    expect(talk.modelSaw.at(-1)).toBe("user: New");
  });

  test.each([
    ["no JSON", Buffer.from("{"), "ERR_INVALID_MESSAGE"],
    ["an unknown field", Buffer.from(`{"text":"","x":1}`), "ERR_INVALID_MESSAGE"],
    ["text that is not UTF-8", Buffer.from([0x22, 0xff, 0x22]), "ERR_INVALID_UTF8"],
  ])("of %s is refused, and the conversation goes on", async (_name, body, code) => {
    talk.send(1, Buffer.concat([Buffer.of(TaskKind.turn), body]));
    expect(talk.on(1)).toEqual([code, "end"]);
    await talk.turn(2, "Hi");
    expect([talk.on(2), talk.modelSaw]).toEqual([whole("Hello"), ["user: Hi"]]);
    expect(talk.leave).not.toHaveBeenCalled();
  });
});

describe("a model that cannot answer", () => {
  const canary = "CANARY-77e1";
  const fails = (error: unknown, text = "") => {
    talk.answer = async ({ say }) => {
      if (text) say(text);
      throw error;
    };
  };
  beforeEach(() => talk.open({ history: [{ role: "user", text: "Before" }] }));

  test.each([
    ["an error of any kind", new Error(canary)],
    ["an engine's error", new EngineError("ERR_EVALUATION", canary)],
    ["no error at all", canary],
  ])("is never quoted: %s", async (_name, error) => {
    fails(error);
    await talk.turn(1, canary);
    expect(talk.on(1)).toEqual(["ERR_MODEL_FAILED", "end"]);
    expect(JSON.stringify(talk.heard)).not.toContain(canary);
  });

  test("because the prompt is too long says by how much", async () => {
    fails(new PromptTooLongError(5000, 4096));
    await talk.turn(1, "long");
    expect(talk.on(1)).toEqual(["ERR_PROMPT_TOO_LONG", "end"]);
    expect(talk.heard.at(-2)!.body.message).toMatch(/5000.*4096/);
  });

  test("leaves the conversation as it was, also what the turn would have forgotten", async () => {
    const { answer } = talk;
    fails(new PromptTooLongError(5000, 4096));
    await talk.turn(1, { text: "long", keep: 0 });
    talk.answer = answer;
    await talk.turn(2, "Hi");
    expect(talk.modelSaw.at(-1)).toBe("user: Before | user: Hi");
    expect(talk.on(2)).toEqual(whole("Hello"));
  });

  test("half-way leaves what it said, which the device has seen", async () => {
    const { answer } = talk;
    fails(new Error("x"), "Half");
    await talk.turn(1, "One");
    expect(talk.on(1)).toEqual(["Half", "ERR_MODEL_FAILED", "end"]);
    talk.answer = answer;
    await talk.turn(2, "Two");
    expect(talk.modelSaw.at(-1)).toBe("user: Before | user: One | assistant: Half | user: Two");
  });
});

describe("stop", () => {
  /** Says a word and then waits for the stop. */
  const patient: TestConversation["answer"] = async ({ say, signal }) => {
    if (signal.aborted) return "aborted";
    say("Half");
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    return "aborted";
  };
  beforeEach(() => {
    talk.open();
    talk.answer = patient;
  });

  test("ends the answer, not the conversation", async () => {
    await talk.turn(1, "One");
    expect(talk.on(1)).toEqual(["Half"]);
    talk.stop();
    await settled();
    expect(talk.on(1)).toEqual(["Half", "stopped", "end"]);
    await talk.turn(2, "Two");
    expect(talk.modelSaw.at(-1)).toBe("user: One | assistant: Half | user: Two");
  });

  test("ends the wait for a core too", async () => {
    talk.isGateOpen = false;
    await talk.turn(1, "One");
    talk.stop();
    await settled();
    expect(talk.on(1)).toEqual(["stopped", "end"]);
    expect(talk.frames).toEqual(["turn 1", "turn 0"]);
  });

  test("with nothing to stop does nothing", async () => {
    talk.stop();
    await talk.turn(1, "One");
    expect(talk.on(1)).toEqual(["Half"]);
    expect(talk.leave).not.toHaveBeenCalled();
  });
});

describe("an attachment", () => {
  beforeEach(() => talk.open());

  test("is taken, and read by the turns that name it", async () => {
    talk.attach(1, "a.txt", Buffer.from("Å"));
    talk.attach(2, "b.txt", Buffer.from("B"));
    expect(talk.heard.find(({ stream }) => stream === 1)).toMatchObject({ body: { bytes: 2 } });
    expect(talk.on(2)).toEqual(["attached", "end"]);
    await talk.turn(3, { text: "Read.", attachments: [2, 1] });
    expect(talk.modelSaw).toEqual([`user: File "b.txt":\nB\n\nFile "a.txt":\nÅ\n\nRead.`]);
  });

  test("that is not there is refused, and so is the turn", async () => {
    talk.attach(1, "a.txt", Buffer.from("A"));
    await talk.turn(2, { text: "Read.", attachments: [1, 9] });
    expect(talk.on(2)).toEqual(["ERR_ATTACHMENT_UNKNOWN", "end"]);
    await talk.turn(3, "Hi");
    expect(talk.modelSaw).toEqual(["user: Hi"]);
  });

  test("may fill what all may have together, and one byte more is refused", async () => {
    const first = 5 * 1024 * 1024;
    talk.attach(1, "a", Buffer.alloc(first, "a"));
    talk.attach(2, "b", Buffer.alloc(MAX_REQUEST_BYTES - first, "b"));
    talk.attach(3, "c", Buffer.alloc(0));
    talk.attach(4, "d", Buffer.alloc(1, "d"));
    expect([1, 2, 3, 4].map((stream) => talk.on(stream)[0])).toEqual([
      "attached",
      "attached",
      "attached",
      "ERR_LIMIT",
    ]);
    await talk.turn(5, { text: "", attachments: [4] });
    expect(talk.on(5)[0]).toBe("ERR_ATTACHMENT_UNKNOWN");
  });

  test("is taken while a turn waits for a core, and both are answered", async () => {
    talk.isGateOpen = false;
    await talk.turn(1, "Hi");
    talk.attach(2, "a", Buffer.from("a"));
    expect(talk.on(2)).toEqual(["attached", "end"]);
    talk.go();
    await settled();
    expect(talk.on(1)).toEqual(whole("Hello"));
  });

  test.each([
    ["that is not UTF-8", Buffer.concat([header("a"), Buffer.of(0xff)]), "ERR_INVALID_UTF8"],
    ["without a name", header(""), "ERR_INVALID_MESSAGE"],
    ["without a header", Buffer.alloc(0), "ERR_INVALID_MESSAGE"],
    ["with half a length", Buffer.of(0), "ERR_INVALID_MESSAGE"],
    ["whose header is cut", header("a").subarray(0, -1), "ERR_INVALID_MESSAGE"],
  ])("%s is refused, and the conversation goes on", async (_name, body, code) => {
    talk.send(1, Buffer.concat([Buffer.of(TaskKind.attach), body]));
    expect(talk.on(1)).toEqual([code, "end"]);
    await talk.turn(2, "Hi");
    expect(talk.on(2)).toEqual(whole("Hello"));
  });
});

describe("what is sealed between turns", () => {
  const sealing = () => vi.spyOn(SealedPayloads.prototype, "seal");
  afterEach(() => void vi.restoreAllMocks());

  /** Somebody changes one bit of every piece that is kept. */
  function tamper(seal: ReturnType<typeof sealing>): void {
    for (const { value } of seal.mock.results) value.sealed[0]! ^= 1;
  }

  test("and was changed ends the session, with no word of it and nothing for the model", async () => {
    const seal = sealing();
    talk.open({ history: [{ role: "user", text: "Before" }] });
    tamper(seal);
    await talk.turn(1, "Hi");
    expect(talk.leave).toHaveBeenCalledExactlyOnceWith(CloseCode.crypto);
    expect([talk.on(1), talk.modelSaw]).toEqual([[], []]);
  });

  test("as an attachment likewise", async () => {
    const seal = sealing();
    talk.open();
    talk.attach(1, "a.txt", Buffer.from("A"));
    tamper(seal);
    await talk.turn(2, { text: "Read.", attachments: [1] });
    expect(talk.leave).toHaveBeenCalledExactlyOnceWith(CloseCode.crypto);
    expect([talk.on(2), talk.modelSaw]).toEqual([[], []]);
  });

  test("cannot be opened once the conversation was erased", async () => {
    talk.open({ history: [{ role: "user", text: "Before" }] });
    talk.conversation.erase();
    await talk.turn(1, "Hi");
    expect(talk.leave).toHaveBeenCalledExactlyOnceWith(CloseCode.crypto);
    expect(talk.modelSaw).toEqual([]);
  });
});

function header(name: string): Buffer {
  const json = Buffer.from(JSON.stringify({ name }));
  return Buffer.concat([Buffer.from([0, json.length]), json]);
}

test.each([
  ["a turn on the session's stream", 0, TaskKind.turn],
  ["an attachment on the session's stream", 0, TaskKind.attach],
  ["an unknown kind", 1, 0x7f],
  ["a kind of the worker's own", 1, TaskKind.delta],
])("%s ends the session", (_name, stream, kind) => {
  talk.open();
  expect(() => talk.send(stream, encodeJson(kind, { text: "" }))).toThrow(unexpected);
});

test("a frame that the gateway may not send ends the session", () => {
  expect(() => talk.conversation.handle({ kind: 99, body: Buffer.alloc(0) })).toThrow(RangeError);
});

describe("a single turn", () => {
  test("ends the session when its answer is over", async () => {
    talk.open({ mode: "turn" });
    await talk.turn(1, "Hi");
    expect([talk.on(1), talk.on(0)]).toEqual([whole("Hello"), ["opened", "turn-done", "end"]]);
    expect(talk.leave).toHaveBeenCalledExactlyOnceWith(CloseCode.done);
  });

  test("is the only one, also while its answer is rounded up", async () => {
    talk.open({ mode: "turn", steady: true });
    await talk.turn(1, "Hi");
    for (let count = 0; count < 20; count += 1) talk.ask();
    await talk.turn(2, "Again");
    for (let count = 0; count < 20; count += 1) talk.ask();
    expect(talk.modelSaw).toEqual(["user: Hi"]);
    expect(talk.on(2)).toEqual(["ERR_BUSY", "end"]);
    expect(talk.leave).toHaveBeenCalledExactlyOnceWith(CloseCode.done);
  });

  test("that was refused may be asked again", async () => {
    talk.open({ mode: "turn" });
    await talk.turn(1, { text: 1 });
    await talk.turn(2, "Hi");
    expect(talk.on(2)).toEqual(whole("Hello"));
  });
});

describe("the session ends", () => {
  test("when the device says so, in the middle of an answer too", async () => {
    talk.open({ steady: true });
    let signal: AbortSignal | undefined;
    talk.answer = (turn) => {
      ({ signal } = turn);
      return new Promise(() => undefined);
    };
    await talk.turn(1, "Hi");
    talk.send(0, Buffer.of(TaskKind.end));
    expect(talk.on(0)).toEqual(["opened", "ended", "end"]);
    expect(talk.on(1)).toEqual([]);
    expect(signal!.aborted).toBe(true);
    expect(talk.leave).toHaveBeenCalledExactlyOnceWith(CloseCode.done);
  });

  test.each(["open", "never opened"])("when nothing is asked for 120 s: %s", (state) => {
    if (state === "open") talk.open();
    vi.advanceTimersByTime(IDLE_TIMEOUT_MS - 1);
    expect(talk.leave).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(talk.leave).toHaveBeenCalledExactlyOnceWith(CloseCode.timeout);
    expect(talk.on(0)).toEqual(state === "open" ? ["opened", "idle", "end"] : []);
  });

  test("120 s after an attachment", () => {
    talk.open();
    vi.advanceTimersByTime(IDLE_TIMEOUT_MS - 1);
    talk.attach(1, "a", Buffer.from("a"));
    vi.advanceTimersByTime(IDLE_TIMEOUT_MS - 1);
    expect(talk.leave).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(talk.leave).toHaveBeenCalledOnce();
  });

  test("at its hard limit, whatever it is doing", async () => {
    talk.open();
    talk.answer = () => new Promise(() => undefined);
    await talk.turn(1, "Hi");
    vi.advanceTimersByTime(MAX_SESSION_MS - 1);
    expect(talk.leave).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(talk.on(0)).toEqual(["opened", "hard-limit", "end"]);
    expect(talk.leave).toHaveBeenCalledExactlyOnceWith(CloseCode.timeout);
  });
});
