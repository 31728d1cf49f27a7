/** Control requests of one session: one after the other, and only a few waiting. */
import { ControlKind, encodeJson, MAX_LIVE_STREAMS } from "@phantoma/protocol";
import { expect, test, vi } from "vitest";
import type { OpenTunnel } from "../tunnel-end/tunnel-end.ts";
import { RequestQueue } from "./request-queue.ts";

const ask = (stream: number) => ({
  type: "message" as const,
  stream,
  bytes: encodeJson(ControlKind.request, { request: "devices" }),
});

/** A tunnel whose keeper answers when the test lets it, and whose device never reads. */
function tunnelThatWaits() {
  const asked = vi.fn(() => Promise.resolve(Buffer.from("list")));
  const outbox = { push: vi.fn(), end: vi.fn() };
  const drained = Promise.withResolvers<void>();
  const link = { send: vi.fn(), drained: () => drained.promise };
  const channel = { outbox, flush: () => [Buffer.alloc(1)] };
  const tunnel = { link, channel, keeper: { ask: asked }, leave: vi.fn() };
  return { queue: new RequestQueue(tunnel as unknown as OpenTunnel), asked, drained, outbox };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("a device that does not read is answered once, however much it asks", async () => {
  const { queue, asked, drained, outbox } = tunnelThatWaits();
  for (let stream = 1; stream <= 3; stream += 1) queue.add(ask(stream));
  await settled();
  expect(asked).toHaveBeenCalledOnce();
  drained.resolve();
  await settled();
  await settled();
  expect(outbox.end.mock.calls.map(([stream]) => stream)).toEqual([1, 2, 3]);
});

test("so many requests may wait, and not one more", () => {
  const { queue } = tunnelThatWaits();
  for (let stream = 1; stream <= MAX_LIVE_STREAMS; stream += 1) queue.add(ask(stream));
  expect(() => queue.add(ask(17))).toThrow(expect.objectContaining({ code: "ERR_LIMIT" }));
});

test("anything but a request ends the session, the end of a stream does not", () => {
  const { queue } = tunnelThatWaits();
  queue.add({ type: "end", stream: 1 });
  const strange = { type: "message" as const, stream: 1, bytes: Buffer.of(0x7f) };
  expect(() => queue.add(strange)).toThrow(expect.objectContaining({ code: "ERR_UNEXPECTED" }));
});
