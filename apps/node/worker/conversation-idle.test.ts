/** The idle timeout on the runtime's own timers, whose rules fake ones do not share. */
import { CloseCode, type SecureChannel } from "@phantoma/protocol";
import { expect, test, vi } from "vitest";
import { TestConversation } from "./test-conversation.ts";

vi.mock("@phantoma/protocol", async (original) => ({
  ...(await original<{ SecureChannel: SecureChannel }>()),
  IDLE_TIMEOUT_MS: 20,
}));

test("a conversation that has had a turn still ends when nothing more is asked", async () => {
  const talk = await TestConversation.make();
  talk.open();
  await talk.turn(1, "Hi");
  await vi.waitUntil(() => talk.leave.mock.calls.length > 0, 10_000);
  expect(talk.on(0)).toEqual(["opened", "idle", "end"]);
  expect(talk.leave).toHaveBeenCalledWith(CloseCode.timeout);
});

test("an answer that takes longer than that is not cut, and the wait begins behind it", async () => {
  const talk = await TestConversation.make();
  talk.open();
  const answer = Promise.withResolvers<"stop">();
  talk.answer = () => answer.promise;
  await talk.turn(1, "Hi");
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(talk.leave).not.toHaveBeenCalled();
  answer.resolve("stop");
  await vi.waitUntil(() => talk.leave.mock.calls.length > 0, 10_000);
  expect(talk.heard.map(({ kind }) => kind)).toEqual(["opened", "finish", "end", "closing", "end"]);
});
