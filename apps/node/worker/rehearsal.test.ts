/** The rehearsal: a worker that played a turn with itself is as new, and one that cannot says so. */
import { expect, test, vi } from "vitest";
import type { Engine } from "./engine/engine.ts";
import { ask, load, user } from "./engine/test-model.ts";
import { rehearse } from "./rehearsal.ts";

test("the engine has forgotten the rehearsal, and answers as one that never had it", async () => {
  const [rehearsed, fresh] = await Promise.all([load("tiny", 1024), load("tiny", 1024)]);
  await rehearse(rehearsed);
  const question = [user("What is a tunnel?")];
  const sampling = { maxTokens: 20, temperature: 0 };
  const answer = await ask(rehearsed, question, sampling);
  expect(answer.reusedTokens).toBe(0);
  expect(answer.text).toBe((await ask(fresh, question, sampling)).text);
  await Promise.all([rehearsed.dispose(), fresh.dispose()]);
});

test("a model that cannot answer does not become ready", async () => {
  const forget = vi.fn();
  const broken = {
    modelName: "broken",
    contextTokens: 16,
    threads: 1,
    forget,
    answer: () => Promise.reject(new Error("cannot evaluate")),
  };
  await expect(rehearse(broken as unknown as Engine)).rejects.toThrow("did not finish");
  expect(forget).toHaveBeenCalled();
});
