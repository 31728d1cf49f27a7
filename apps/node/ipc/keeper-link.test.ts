/** The keeper's table of requests, and the cell's side of it. */
import { duplexPair } from "node:stream";
import { MAX_DOCUMENT_BYTES, TICKET_BYTES } from "@phantoma/crypto";
import { describe, expect, test } from "vitest";
import { encodeFrame, FrameLink, type Frame } from "./frames.ts";
import { KeeperClient } from "./keeper-client.ts";
import {
  KeeperAnswer,
  keeperRefusals,
  keeperRequests,
  MAX_KEEPER_REQUEST_BYTES,
} from "./keeper-link.ts";

test("a worker may ask for its certificate and nothing else", () => {
  const ofWorkers = Object.entries(keeperRequests).filter(([, row]) =>
    (row.from as readonly string[]).includes("worker"),
  );
  expect(ofWorkers.map(([name]) => name)).toEqual(["certify"]);
});

test("no two requests have the same number, and every body fits", () => {
  const kinds = Object.values(keeperRequests).map(({ kind }) => kind);
  expect(new Set<number>(kinds).size).toBe(kinds.length);
  expect(MAX_KEEPER_REQUEST_BYTES).toBeGreaterThanOrEqual(
    Math.max(MAX_DOCUMENT_BYTES, 32 + TICKET_BYTES),
  );
});

describe("a client", () => {
  function connected(onRequest: (frame: Frame) => void = () => undefined) {
    const [cell, keeper] = duplexPair();
    const client = new KeeperClient(cell);
    return { client, keeper, link: new FrameLink(keeper, 1000, onRequest) };
  }
  const unavailable = expect.objectContaining({ code: "ERR_UNAVAILABLE" });

  test("gets its answers in the order it asked", async () => {
    const { client, link } = connected(({ kind, body }) =>
      link.send(KeeperAnswer.done, Buffer.concat([Buffer.of(kind), body])),
    );
    const answers = await Promise.all([client.ask("status"), client.ask("certify", Buffer.of(9))]);
    expect(answers).toEqual([Buffer.of(2), Buffer.of(1, 9)]);
  });

  test.each(keeperRefusals.map((code, number) => [code, number] as const))(
    "is told %s by its number",
    async (code, number) => {
      const { client, link } = connected(() => link.send(KeeperAnswer.refused, Buffer.of(number)));
      await expect(client.ask("status")).rejects.toThrow(
        expect.objectContaining({ name: "KeeperRefused", code }),
      );
    },
  );

  test.each([[Buffer.of(99)], [Buffer.alloc(0)]])(
    "takes a refusal that it does not know for a fault of its own",
    async (body) => {
      const { client, link } = connected(() => link.send(KeeperAnswer.refused, body));
      await expect(client.ask("status")).rejects.toThrow(
        expect.objectContaining({ code: "ERR_MALFORMED" }),
      );
    },
  );

  test("closes on an answer that it did not ask for", async () => {
    const { client, keeper } = connected();
    keeper.write(encodeFrame(KeeperAnswer.done, Buffer.alloc(0)));
    await client.closed;
  });

  test("rejects everything that waits when the keeper hangs up, and everything after", async () => {
    const { client, link } = connected();
    const waiting = [client.ask("status"), client.ask("models")];
    link.close();
    for (const answer of waiting) await expect(answer).rejects.toThrow(unavailable);
    await expect(client.ask("status")).rejects.toThrow(unavailable);
  });
});
