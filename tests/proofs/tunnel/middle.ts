/**
 * A man in the middle of a genuine tunnel: every change of a record, in either direction, is noticed.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { ClientError, Conversation, type TurnEvent } from "@phantoma/client";
import { CloseCode } from "@phantoma/protocol";
import { endsWith, expect, expectEqual, within, PATIENCE_MS } from "./expect.ts";
import { hangUp, HostileGateway, relay, type Tamper } from "./hostile-gateway.ts";
import { RawTunnel } from "./raw-tunnel.ts";
import type { Stage } from "./stage.ts";

export async function attackInTheMiddle(stage: Stage): Promise<void> {
  await stage.control("a relay that changes nothing is not noticed", async () => {
    const { text, hasEnd } = await askThrough(stage, {});
    expect(hasEnd && text.includes(stage.trace.canary), "the answer is not whole");
  });
  const changes: readonly (readonly [string, (first: number) => Tamper])[] = [
    ["one bit flipped", at((record) => [flipped(record)])],
    ["truncated by a byte", at((record) => [record.subarray(0, -1)])],
    ["lengthened by a byte", at((record) => [Buffer.concat([record, Buffer.of(0)])])],
    ["replayed", at((record) => [record, record])],
    ["withheld", at(() => [])],
    ["empty", at(() => [Buffer.alloc(0)])],
    ["replaced by noise", at((record) => [randomBytes(record.length)])],
    ["swapped with the next", swapped],
  ];
  for (const [name, tamper] of changes)
    await stage.attack(`an answer's record ${name}`, async () => {
      const { code, hasEnd } = await askThrough(stage, { down: tamper(FIRST_RECORD) });
      expectEqual(code, "ERR_HANDSHAKE", "the error");
      expect(!hasEnd, "an answer was shown as whole");
      return code;
    });
  for (const [name, tamper] of changes)
    // A record that is withheld, or waits for one that does not come, shows with the next request.
    await stage.attack(`a request's record ${name}`, async () => {
      const { code, hasEnd } = await askThrough(stage, { up: tamper(FIRST_TURN) }, 2);
      expectEqual(code, "ERR_HANDSHAKE", "the error");
      expect(!hasEnd, "an answer was shown as whole");
      return code;
    });
  await stage.attack("the first request is withheld", async () => {
    const { code } = await askThrough(stage, { up: at(() => [])(FIRST_TURN - 1) });
    expectEqual(code, "ERR_TIMEOUT", "the error");
    return code;
  });
  await attackEnd(stage);
  await attackWithGarbage(stage);
}

async function attackEnd(stage: Stage): Promise<void> {
  for (const [name, code] of [
    ["the connection is reset", 1006],
    ["a polite close", CloseCode.done],
  ] as const)
    await stage.attack(`an answer without its end, then ${name}`, async () => {
      await using gateway = await HostileGateway.open(stage, (device) =>
        relay(stage, device, {
          down(record, index) {
            // 40 records are the least that an answer has; the last holds its end.
            if (index < FIRST_RECORD + 39) return [record];
            hangUp(device.end, code);
            return [];
          },
        }),
      );
      const answer = await askThrough(stage, gateway);
      expect(!answer.hasEnd, "a cut answer was shown as whole");
      expect(answer.code !== "none", "no error");
      return `${answer.code}, no end`;
    });
  await stage.attack("an answer that is held back is never whole", async () => {
    await using gateway = await HostileGateway.open(stage, (device) =>
      relay(stage, device, {
        down: (record, index) => (index < FIRST_RECORD + 5 ? [record] : []),
      }),
    );
    const conversation = await Conversation.open({
      profile: gateway.profile,
      device: stage.device,
      model: stage.model,
    });
    const reading = readAll(conversation.turn(stage.turn));
    setTimeout(() => conversation.drop(), 1_500);
    const { hasEnd, code } = await within(PATIENCE_MS, reading, "the end, after the client left");
    expect(!hasEnd, "an answer without an end was shown as whole");
    return `no end; when the client leaves: ${code}`;
  });
}

async function attackWithGarbage(stage: Stage): Promise<void> {
  await stage.attack("garbage after the handshake", async () => {
    const tunnel = await RawTunnel.open(stage);
    tunnel.end.send(randomBytes(1_040));
    return endsWith(CloseCode.crypto, await tunnel.closed);
  });
  await stage.attack("one device sends a record twice", async () => {
    const tunnel = await RawTunnel.converse(stage);
    const record = tunnel.sealRecord(Buffer.alloc(1_024));
    tunnel.end.send(record);
    tunnel.end.send(record);
    return endsWith(CloseCode.crypto, await tunnel.closed);
  });
}

/** Message 2 is 0, `opened` is 1; the first record of an answer is 2. */
const FIRST_RECORD = 2;
/** Message 1 is 0, message 3 is 1, `open` is 2; the first turn is 3. */
const FIRST_TURN = 3;

/** Changes one record and leaves the others. */
function at(change: Tamper): (first: number) => Tamper {
  return (first) => (record, index) => (index === first ? change(record, index) : [record]);
}

function swapped(first: number): Tamper {
  let held: Buffer | undefined;
  return (record, index) => {
    if (index === first) {
      held = record;
      return [];
    }
    return index === first + 1 ? [record, held!] : [record];
  };
}

function flipped(record: Buffer): Buffer {
  const copy = Buffer.from(record);
  copy[7]! ^= 0x10;
  return copy;
}

interface Heard {
  text: string;
  hasEnd: boolean;
  code: string;
}

/** A question through a hostile gateway, and what the person would see. */
async function askThrough(
  stage: Stage,
  through: { up?: Tamper; down?: Tamper } | HostileGateway,
  turns = 1,
): Promise<Heard> {
  if (!(through instanceof HostileGateway)) {
    await using own = await HostileGateway.open(stage, (device) => relay(stage, device, through));
    return await askThrough(stage, own, turns);
  }
  try {
    const { device, model } = stage;
    const conversation = await Conversation.open({ profile: through.profile, device, model });
    const answers = Array.from({ length: turns }, () => readAll(conversation.turn(stage.turn)));
    const heard = await within(PATIENCE_MS, Promise.all(answers), "the answer or its failure");
    conversation.drop();
    return heard.at(-1)!;
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return { text: "", hasEnd: false, code: error.code };
  }
}

async function readAll(events: AsyncIterable<TurnEvent>): Promise<Heard> {
  const heard: Heard = { text: "", hasEnd: false, code: "none" };
  try {
    for await (const event of events) {
      if (event.type === "delta") heard.text += event.text;
      if (event.type === "end") heard.hasEnd = true;
    }
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    heard.code = error.code;
  }
  return heard;
}
