import { ClientError } from "@phantoma/client";
import { expect, onTestFinished, test, vi } from "vitest";
import { FakeNode } from "./fake-node.ts";
import { HeldControl } from "./held-control.ts";

function held() {
  const node = new FakeNode();
  let [opened, closed] = [0, 0];
  const control = new HeldControl(async () => {
    const open = await node.openControl();
    opened += 1;
    return { ...open, close: () => void (closed += 1) };
  });
  onTestFinished(() => control.close());
  return { node, control, count: () => [opened, closed] };
}

const lost = () => Promise.reject(new ClientError("ERR_CONNECTION_LOST", "gone"));

test("many questions take one session, which is closed when nothing was asked for a while", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const { control, count } = held();
  await Promise.all([control.ask((c) => c.models()), control.ask((c) => c.models())]);
  await vi.advanceTimersByTimeAsync(4_999);
  await control.ask((c) => c.models());
  await vi.advanceTimersByTimeAsync(4_999);
  expect(count()).toEqual([1, 0]);
  await vi.advanceTimersByTimeAsync(1);
  expect(count()).toEqual([1, 1]);
});

test("a kept session that is gone is replaced, and the question asked again", async () => {
  const { control, count } = held();
  await control.ask((c) => c.models());
  let attempts = 0;
  const answer = await control.ask((c) => (attempts++ === 0 ? lost() : c.models()));
  expect([answer.length, attempts]).toEqual([1, 2]);
  expect(count()).toEqual([2, 1]);
});

test("a new session that fails is not tried again", async () => {
  const { control, count } = held();
  await expect(control.ask(lost)).rejects.toMatchObject({ code: "ERR_CONNECTION_LOST" });
  expect(count()).toEqual([1, 1]);
});

test("a refusal leaves the session open", async () => {
  const { control, count } = held();
  const refusal = () => Promise.reject(new ClientError("ERR_FORBIDDEN", "no"));
  await expect(control.ask(refusal)).rejects.toMatchObject({ code: "ERR_FORBIDDEN" });
  await control.ask((c) => c.models());
  expect(count()).toEqual([1, 0]);
});

test("a session that cannot be opened is opened by the next question", async () => {
  const { node, control, count } = held();
  node.failures.push(new ClientError("ERR_UNREACHABLE", "away"));
  await expect(control.ask((c) => c.models())).rejects.toMatchObject({ code: "ERR_UNREACHABLE" });
  await control.ask((c) => c.models());
  expect(count()).toEqual([1, 0]);
});
