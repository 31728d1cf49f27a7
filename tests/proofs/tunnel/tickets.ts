/**
 * Tickets that must not be let in, and thousands of strangers who have none.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { Conversation } from "@phantoma/client";
import { generateDeviceIdentity, NO_MODEL, TICKET_BYTES } from "@phantoma/crypto";
import type { RefusalCode } from "@phantoma/protocol";
import { expect, expectEqual, expectRefusal } from "./expect.ts";
import { knock, makeTicket, upgradeRequest } from "./raw-client.ts";
import { RawTunnel } from "./raw-tunnel.ts";
import { residentMb } from "./stalling.ts";
import type { Stage } from "./stage.ts";

export async function attackTickets(stage: Stage): Promise<void> {
  const { tasksDone, tasksLive } = await stage.statusAtRest();
  const stranger = generateDeviceIdentity();
  const good = () => Buffer.from(makeTicket(stage));
  const anHourOld = { issuedAt: Date.now() - 3_600_000 };
  const cases: readonly (readonly [string, RefusalCode, () => Uint8Array | undefined])[] = [
    ["no ticket", "ERR_TICKET_MALFORMED", () => undefined],
    ["random bytes for a ticket", "ERR_TICKET_MALFORMED", () => randomBytes(TICKET_BYTES)],
    ["a truncated ticket", "ERR_TICKET_MALFORMED", () => good().subarray(0, -1)],
    ["an extended ticket", "ERR_TICKET_MALFORMED", () => Buffer.concat([good(), Buffer.of(0)])],
    ["a signature with one bit flipped", "ERR_TICKET_REFUSED", () => flipLast(good())],
    ["a field changed after signing", "ERR_TICKET_REFUSED", () => flip(good(), 100)],
    ["61 s old", "ERR_TICKET_STALE", () => makeTicket(stage, { issuedAt: Date.now() - 61_000 })],
    ["an hour old", "ERR_TICKET_STALE", () => makeTicket(stage, anHourOld)],
    [
      "from the future",
      "ERR_TICKET_STALE",
      () => makeTicket(stage, { issuedAt: Date.now() + 65_000 }),
    ],
    ["another node's", "ERR_TICKET_REFUSED", () => makeTicket(stage, { node: randomBytes(32) })],
    ["an unknown model", "ERR_MODEL_UNKNOWN", () => makeTicket(stage, { model: randomBytes(32) })],
    ["an unknown device", "ERR_TICKET_REFUSED", () => makeTicket(stage, {}, stranger)],
    [
      "signed by a stranger in a device's name",
      "ERR_TICKET_REFUSED",
      () => makeTicket(stage, { device: stage.device.signing.publicKey }, stranger),
    ],
    [
      "for control, naming a model",
      "ERR_MODEL_UNKNOWN",
      () => makeTicket(stage, { service: "control", model: stage.model }),
    ],
    ["for a task, naming none", "ERR_MODEL_UNKNOWN", () => makeTicket(stage, { model: NO_MODEL })],
  ];
  for (const [name, code, ticket] of cases)
    await stage.attack(`ticket: ${name}`, async () => {
      const reply = await knock(stage.node.profile, upgradeRequest(ticket()));
      expectEqual(reply.code, code, `the code (HTTP ${reply.status})`);
      return `${reply.status} ${reply.code}`;
    });
  await stage.attack("none of these tickets reached a worker or the keeper", async () => {
    const now = await stage.status();
    expectEqual(now.tasksDone, tasksDone, "the number of tasks done");
    expectEqual(now.tasksLive, tasksLive, "the number of tasks live");
  });
  await attackOnce(stage);
  await attackAsClient(stage, stranger);
}

async function attackOnce(stage: Stage): Promise<void> {
  const ticket = makeTicket(stage);
  await stage.control("a ticket's first use is let in", async () => {
    expectEqual((await knock(stage.node.profile, upgradeRequest(ticket))).status, 101, "status");
  });
  await stage.attack("ticket: used twice", async () => {
    const reply = await knock(stage.node.profile, upgradeRequest(ticket));
    expectEqual(reply.code, "ERR_TICKET_REUSED", "the code");
    return `${reply.status} ${reply.code}`;
  });
  await stage.attack("ticket: used twenty times at once", async () => {
    const again = makeTicket(stage);
    const knocks = Array.from({ length: 20 }, () =>
      knock(stage.node.profile, upgradeRequest(again)),
    );
    const replies = await Promise.all(knocks);
    expectEqual(replies.filter(({ status }) => status === 101).length, 1, "those let in");
    return "one was let in";
  });
  await stage.attack("a control ticket opens no conversation", async () => {
    const tunnel = await RawTunnel.open(stage, "control");
    tunnel.say(0, Buffer.of(1));
    expectEqual(await tunnel.closed, 4002, "the close code");
    return "the clerk closes with 4002";
  });
}

/** What a person with an honest program sees. */
async function attackAsClient(
  stage: Stage,
  stranger: ReturnType<typeof generateDeviceIdentity>,
): Promise<void> {
  const { peer, model } = stage;
  await stage.attack("an unknown device is told so", () =>
    expectRefusal("ERR_TICKET_REFUSED", Conversation.open({ ...peer, device: stranger, model })),
  );
  await stage.attack("an unknown model is told so", () =>
    expectRefusal("ERR_MODEL_UNKNOWN", Conversation.open({ ...peer, model: randomBytes(32) })),
  );
}

export async function attackAsStrangers(stage: Stage): Promise<void> {
  const [gateway] = stage.pids("gateway");
  const forger = generateDeviceIdentity();
  const forged = () => {
    const text = upgradeRequest(makeTicket(stage, {}, forger));
    return () => text;
  };
  // What the first connections cost once is not growth.
  await crowd(stage, 500, forged());
  await stage.settled();
  const before = { workers: stage.pids("worker").join(), mb: residentMb(gateway!) };
  const { tasksDone, tasksLive } = await stage.statusAtRest();
  const over = new AbortController();
  const chat = (async () => {
    let answers = 0;
    for (; !over.signal.aborted; answers += 1) await stage.stillServes();
    return answers;
  })();
  await stage.attack("5,000 strangers without a ticket are refused", async () => {
    const refused = await crowd(stage, 5_000, () => upgradeRequest(undefined));
    expectEqual(refused, "5000 × ERR_TICKET_MALFORMED", "what they got");
    return refused;
  });
  await stage.attack("5,000 strangers with forged tickets are refused", async () => {
    const refused = await crowd(stage, 5_000, forged());
    expectEqual(refused, "5000 × ERR_TICKET_REFUSED", "what they got");
    return refused;
  });
  over.abort();
  await stage.attack("meanwhile every honest answer arrived whole", async () => {
    return `${await chat} answers`;
  });
  await stage.attack("no worker was used or started", async () => {
    expectEqual(stage.pids("worker").join(), before.workers, "the list of workers");
    const now = await stage.status();
    expectEqual(now.tasksDone, tasksDone, "the number of tasks done");
    expectEqual(now.tasksLive, tasksLive, "the number of tasks live");
  });
  await stage.attack("the gateway's memory is near where it was", async () => {
    const growth = residentMb(gateway!) - before.mb;
    expect(growth < MAX_GROWTH_MB, `it grew by ${growth} MB`);
    return `${before.mb} MB ${growth < 0 ? "−" : "+"} ${Math.abs(growth)} MB`;
  });
}

/**
 * 10,000 connections that were kept, at 60 KB each, would be 600 MB. V8 itself keeps up to 70 MB of
 * emptied heap after such a crowd and gives it back when it pleases.
 */
const MAX_GROWTH_MB = 120;
const AT_ONCE = 50;

/** @returns how many got which code */
async function crowd(stage: Stage, count: number, request: () => string): Promise<string> {
  const codes = new Map<string, number>();
  let left = count;
  const one = async () => {
    while (left-- > 0) {
      const reply = await knock(stage.node.profile, request());
      const outcome = reply.code || `HTTP ${reply.status}`;
      codes.set(outcome, (codes.get(outcome) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return [...codes].map(([code, times]) => `${times} × ${code}`).join(", ");
}

function flip(bytes: Buffer, at: number): Buffer {
  bytes[at]! ^= 1;
  return bytes;
}

function flipLast(bytes: Buffer): Buffer {
  return flip(bytes, bytes.length - 1);
}
