import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Engine } from "./engine.ts";
import { ask, load, user } from "./test-model.ts";

describe("on a model that repeats its prompt", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await load("echo", 2048);
  });
  afterAll(() => engine.dispose());

  test("no piece of an answer splits a character", async () => {
    const pieces: string[] = [];
    const spoken = "grüße 日本語 👩🏽‍🚀 ✓ ";
    const { text } = await ask(
      engine,
      [user(spoken.repeat(3))],
      { temperature: 0, maxTokens: 300 },
      undefined,
      (_, piece) => {
        pieces.push(piece);
      },
    );
    expect(text).toContain(spoken);
    expect(pieces.join("")).toBe(text);
    expect(pieces.filter((piece) => /\uFFFD|[\uD800-\uDBFF]$/u.test(piece))).toEqual([]);
  });

  test("reuse does not change what is answered", async () => {
    const sampling = { temperature: 0, maxTokens: 150 };
    const whole = await ask(engine, [user("Tell me one thing.")], sampling);
    await ask(engine, [user("Tell me another.")], sampling);
    const again = await ask(engine, [user("Tell me one thing.")], sampling);
    expect(again.reusedTokens).toBeGreaterThan(0);
    expect(again.text).toBe(whole.text);
    expect(again.text).toContain("Tell me one thing.");
  });

  test("what was evaluated for one turn is forgotten when the next one differs", async () => {
    await ask(engine, [user("the first secret is BLUE-HERON")], { temperature: 0, maxTokens: 200 });
    const { text } = await ask(engine, [user("the other one is GREY-OWL")], {
      temperature: 0,
      maxTokens: 400,
    });
    expect(text).toContain("GREY-OWL");
    expect(text).not.toContain("BLUE-HERON");
  });
});
