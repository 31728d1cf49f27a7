/**
 * A paired device that turns on its node: requests that are too long, malformed or not due.
 *
 * @module
 */
import { ControlSession } from "@phantoma/client";
import { CloseCode, encodeJson, MAX_REQUEST_BYTES, TaskKind } from "@phantoma/protocol";
import { endsWith, expect, expectEqual, expectRefusal } from "./expect.ts";
import { attachMessage, openMessage, rawEntry, RawTunnel } from "./raw-tunnel.ts";
import type { Stage } from "./stage.ts";

export async function attackWithRequests(stage: Stage): Promise<void> {
  await attackThroughClient(stage);
  await attackWithinConversation(stage);
  await breakProtocol(stage);
}

async function attackThroughClient(stage: Stage): Promise<void> {
  const conversation = await stage.converse();
  await stage.attack("a 10 MB prompt is refused before it is sent", async () => {
    const text = "a".repeat(10_000_000);
    const code = await expectRefusal("ERR_LIMIT", conversation.ask({ ...stage.turn, text }));
    await conversation.ask(stage.turn);
    return `${code}, the conversation goes on`;
  });
  await stage.attack("a prompt longer than the context is refused", async () => {
    const text = "a".repeat(50_000);
    const code = await expectRefusal(
      "ERR_PROMPT_TOO_LONG",
      conversation.ask({ ...stage.turn, text }),
    );
    await conversation.ask(stage.turn);
    return `${code}, the conversation goes on`;
  });
  await stage.attack("an attachment that is not text is refused", async () => {
    const image = Buffer.from("89504e470d0a1a0afffe", "hex");
    const code = await expectRefusal("ERR_INVALID_UTF8", conversation.attach("image.png", image));
    await conversation.ask(stage.turn);
    return `${code}, the conversation goes on`;
  });
  await conversation.end();
}

/** Each is refused with its code; the next turn in the same conversation is answered. */
async function attackWithinConversation(stage: Stage): Promise<void> {
  const tunnel = await RawTunnel.converse(stage);
  let stream = 0;
  const turn = (body: Buffer | string) =>
    Buffer.concat([Buffer.of(TaskKind.turn), Buffer.from(body)]);
  const good = () => encodeJson(TaskKind.turn, stage.turn);
  const half = () => Buffer.alloc(5 * 1024 * 1024, "a");
  const cases: readonly (readonly [string, string, () => Buffer])[] = [
    ["invalid UTF-8 in a turn", "ERR_INVALID_UTF8", () => turn(Buffer.of(0x7b, 0xff, 0xfe, 0x7d))],
    ["invalid UTF-8 in an attachment", "ERR_INVALID_UTF8", () => attachMessage(Buffer.of(0xc3))],
    ["an attachment without a header", "ERR_INVALID_MESSAGE", () => Buffer.of(TaskKind.attach, 0)],
    [
      "an attachment header that is longer than the message",
      "ERR_INVALID_MESSAGE",
      () => Buffer.of(TaskKind.attach, 0xff, 0xff, 0x7b),
    ],
    ["malformed JSON", "ERR_INVALID_MESSAGE", () => turn('{"text":')],
    ["an unknown field", "ERR_INVALID_MESSAGE", () => turn('{"text":"a","tools":[]}')],
    ["a field of the wrong type", "ERR_INVALID_MESSAGE", () => turn('{"text":["a"]}')],
    ["a prototype in JSON", "ERR_INVALID_MESSAGE", () => turn('{"text":"a","__proto__":{"a":1}}')],
    ["deeply nested JSON", "ERR_INVALID_MESSAGE", () => turn("[".repeat(1_000_000))],
    [
      "an attachment that is not there",
      "ERR_ATTACHMENT_UNKNOWN",
      () => turn('{"text":"a","attachments":[9]}'),
    ],
    ["a second attachment beyond 8 MiB together", "ERR_LIMIT", () => attachMessage(half())],
  ];
  tunnel.say(++stream, attachMessage(half()));
  await tunnel.expectKind(TaskKind.attached);
  for (const [name, code, message] of cases)
    await stage.attack(`request: ${name}`, async () => {
      tunnel.say(++stream, message());
      const refused = JSON.parse((await tunnel.expectKind(TaskKind.refused, stream)).toString());
      expectEqual(refused.code, code, "the code");
      tunnel.say(++stream, good());
      await tunnel.expectKind(TaskKind.finish, stream);
      return `${code}, the conversation goes on`;
    });
  await stage.attack("request: a turn during an answer", async () => {
    const answered = ++stream;
    tunnel.say(answered, encodeJson(TaskKind.turn, { ...stage.turn, sampling: endless }));
    tunnel.say(++stream, good());
    await tunnel.expectKind(TaskKind.refused, stream);
    tunnel.say(0, Buffer.of(TaskKind.stop), false);
    await tunnel.expectKind(TaskKind.finish, answered);
    return "ERR_BUSY, the answer goes on";
  });
  tunnel.drop();
}

/** Each ends its own session with the limit's close code, and its worker with it. */
async function breakProtocol(stage: Stage): Promise<void> {
  const message = (stream: number, bytes: Buffer) => rawEntry(2, stream, bytes);
  const cases: readonly (readonly [string, readonly Buffer[]])[] = [
    ["an unknown kind", [message(1, Buffer.of(0x33))]],
    ["an answer's kind", [message(1, Buffer.of(TaskKind.finish))]],
    ["a second open", [message(0, openMessage())]],
    ["a turn on the session's stream", [message(0, encodeJson(TaskKind.turn, { text: "a" }))]],
    ["a message without a kind", [message(1, Buffer.alloc(0))]],
    [
      "17 streams at once",
      Array.from({ length: 17 }, (_, index) => rawEntry(1, index + 1, Buffer.of(3))),
    ],
    ["an entry of an unknown type", [rawEntry(9, 1, Buffer.of(3))]],
    ["an entry that is cut off", [message(1, Buffer.alloc(9)).subarray(0, 8)]],
    ["a stream's end that lies", [rawEntry(1, 1, Buffer.of(3)), rawEntry(3, 1, Buffer.alloc(12))]],
    ["padding that is not zero", [Buffer.concat([Buffer.alloc(500), Buffer.of(1)])]],
  ];
  for (const [name, entries] of cases)
    await stage.attack(`protocol: ${name}`, async () => {
      const tunnel = await RawTunnel.converse(stage);
      for (const entry of entries) tunnel.end.send(tunnel.sealRecord(entry));
      return endsWith(CloseCode.limit, await tunnel.closed);
    });
  await stage.attack("protocol: a turn before the conversation is open", async () => {
    const tunnel = await RawTunnel.open(stage);
    tunnel.say(1, encodeJson(TaskKind.turn, { text: "a" }));
    return endsWith(CloseCode.limit, await tunnel.closed);
  });
  await stage.attack("protocol: a 10 MB prompt, sent regardless", async () => {
    await stage.settled();
    const tunnel = await RawTunnel.converse(stage);
    const part = rawEntry(1, 1, Buffer.alloc(65_000, "a"));
    for (let sent = 0; sent < 10_000_000; sent += 65_000) tunnel.end.send(tunnel.sealRecord(part));
    const code = await tunnel.closed;
    expect(MAX_REQUEST_BYTES < 10_000_000, "the limit is larger than the prompt");
    await stage.settled();
    return `${endsWith(CloseCode.limit, code)}, its worker is gone`;
  });
  await stage.attack("protocol: a clerk is sent what it does not know", async () => {
    const tunnel = await RawTunnel.open(stage, "control");
    tunnel.say(1, Buffer.of(0x33));
    return endsWith(CloseCode.limit, await tunnel.closed);
  });
  await stage.control("the clerk answers what it does know", async () => {
    const control = await ControlSession.open(stage.peer);
    await control.models();
    control.close();
  });
}

const endless = { temperature: 0, maxTokens: 100_000 };
