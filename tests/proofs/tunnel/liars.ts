/**
 * A gateway that was taken over and says what it likes: notes, close codes, refusals, foreign records.
 *
 * @module
 */
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { Conversation, type TurnEvent } from "@phantoma/client";
import { ClientError, type ClientErrorCode } from "@phantoma/client";
import { encodeJson, TaskKind, type SecureChannel } from "@phantoma/protocol";
import { expect, expectEqual, expectRefusal, PATIENCE_MS, within } from "./expect.ts";
import { hangUp, HostileGateway, poseAsWorker, relay } from "./hostile-gateway.ts";
import type { DeviceEnd } from "./hostile-gateway.ts";
import type { Stage } from "./stage.ts";

export async function attackAsLiar(stage: Stage): Promise<void> {
  await lieInNotes(stage);
  await lieInCloseCodes(stage);
  await lieInRefusals(stage);
  await injectForeignRecords(stage);
}

async function lieInNotes(stage: Stage): Promise<void> {
  const notes = [
    "",
    "hello",
    "{",
    '{"note":"admin","grant":true}',
    '{"note":"queued","position":-1}',
    '{"note":"queued","position":1e99}',
    `{"note":"assigned","more":"${"a".repeat(60_000)}"}`,
    '{"note":"going-away"}',
    '{"note":"queued","position":999999}',
  ];
  await stage.attack("notes full of garbage change nothing", async () => {
    await using gateway = await HostileGateway.open(stage, (device) => {
      const say = () => notes.forEach((note) => device.end.socket.send(note));
      say();
      return relay(stage, device, {
        down(message) {
          say();
          return [message];
        },
      });
    });
    const heard: string[] = [];
    const conversation = await open(stage, gateway, ({ note }) => heard.push(note));
    const { text } = await conversation.ask(stage.turn);
    expect(text.includes(stage.trace.canary), "the answer is not whole");
    await conversation.end();
    const known = new Set(["queued", "going-away", "assigned"]);
    expect(heard.length > 0 && heard.every((note) => known.has(note)), "a note of its own");
    return `${heard.length} hints of the closed list, the rest ignored`;
  });
}

async function lieInCloseCodes(stage: Stage): Promise<void> {
  const codes = [1000, 1001, 1003, 1006, 1008, 1009, 1011, 4001, 4002, 4003, 4004, 4005, 4006];
  for (const code of [...codes, 4007, 4999])
    await stage.attack(`close code ${code}, before and within an answer`, async () => {
      await using early = await HostileGateway.open(stage, async ({ end }) => {
        await end.next();
        hangUp(end, code);
      });
      const before = await codeOf(open(stage, early));
      expectEqual(early.devices[0]!.end.count, 1, "the number of messages sent");
      await using late = await HostileGateway.open(stage, async (device) => {
        const worker = await Worker.pose(stage, device);
        await worker.answerTurn("half an ans");
        hangUp(device.end, code);
      });
      const conversation = await open(stage, late);
      const heard = await within(PATIENCE_MS, readAll(conversation.turn(stage.turn)), "an end");
      expectEqual(heard.text, "half an ans", "what is kept");
      expect(!heard.hasEnd && heard.code !== "none", "a cut answer was shown as whole");
      return `${before}; ${heard.code} with half an answer kept, no end`;
    });
}

async function lieInRefusals(stage: Stage): Promise<void> {
  const answer = (status: number, body: string, ...lines: string[]) =>
    [`HTTP/1.1 ${status} No`, ...lines, `content-length: ${body.length}`, "", body].join("\r\n");
  const stale = answer(401, `{"code":"ERR_TICKET_STALE","nodeTime":${Date.now()}}`);
  const cases: readonly (readonly [string, ClientErrorCode, string])[] = [
    ["a redirect", "ERR_UNREACHABLE", answer(302, "", "location: wss://127.0.0.1:1/")],
    ["no JSON", "ERR_UNREACHABLE", answer(500, "<html>")],
    ["a code of its own", "ERR_UNREACHABLE", answer(400, '{"code":"ERR_X","nodeTime":1}')],
    ["10 MB of it", "ERR_UNREACHABLE", answer(400, "a".repeat(10_000_000))],
    ["the ticket is stale, for ever", "ERR_TICKET_STALE", stale],
  ];
  for (const [name, code, reply] of cases)
    await stage.attack(`a refusal that lies: ${name}`, async () => {
      let requests = 0;
      const server = createServer(stage.tls).on("upgrade", (_request, socket) => {
        requests += 1;
        socket.on("error", () => undefined).end(reply);
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const url = `wss://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const { device, model } = stage;
      const profile = { ...stage.node.profile, url };
      await expectRefusal(code, Conversation.open({ profile, device, model }));
      await new Promise((resolve) => server.close(resolve));
      expect(requests <= 2, `${requests} attempts`);
      return `${code} after ${requests} attempt${requests > 1 ? "s" : ""}`;
    });
}

async function injectForeignRecords(stage: Stage): Promise<void> {
  await stage.attack("records of an earlier session are injected", async () => {
    const old: Buffer[] = [];
    {
      await using recorder = await HostileGateway.open(stage, (device) =>
        relay(stage, device, {
          down(message) {
            old.push(message);
            return [message];
          },
        }),
      );
      const conversation = await open(stage, recorder);
      await conversation.ask(stage.turn);
      await conversation.end();
    }
    await using gateway = await HostileGateway.open(stage, (device) =>
      relay(stage, device, { down: (message, index) => [index < 3 ? message : old[index]!] }),
    );
    const conversation = await open(stage, gateway);
    return await expectRefusal("ERR_HANDSHAKE", conversation.ask(stage.turn));
  });
}

/** The double behind the hostile gateway, once the device believes it. */
class Worker {
  readonly #device: DeviceEnd;
  readonly #channel: SecureChannel;

  static async pose(stage: Stage, device: DeviceEnd): Promise<Worker> {
    const worker = new Worker(device, await poseAsWorker(stage, device));
    const opened = { model: "double", contextTokens: 1, threads: 1, idleTimeoutMs: 1 };
    await device.end.next();
    worker.#say(0, encodeJson(TaskKind.opened, opened));
    return worker;
  }

  private constructor(device: DeviceEnd, channel: SecureChannel) {
    this.#device = device;
    this.#channel = channel;
  }

  /** Says `text` and nothing more: no finish, no end. */
  async answerTurn(text: string): Promise<void> {
    await this.#device.end.next();
    this.#say(1, Buffer.concat([Buffer.of(TaskKind.delta), Buffer.from(text)]));
  }

  #say(stream: number, message: Buffer): void {
    this.#channel.outbox.push(stream, message);
    for (const sealed of this.#channel.flush()) this.#device.end.send(sealed);
  }
}

function open(
  stage: Stage,
  { profile }: HostileGateway,
  onNote?: (note: { note: string }) => void,
): Promise<Conversation> {
  const hints = onNote ? { onNote } : {};
  return Conversation.open({ profile, device: stage.device, model: stage.model, ...hints });
}

async function codeOf(attempt: Promise<unknown>): Promise<ClientErrorCode> {
  const error = await within(
    PATIENCE_MS,
    attempt.then(
      () => undefined,
      (error: unknown) => error,
    ),
    "a refusal",
  );
  expect(error instanceof ClientError, "no client's error");
  return error.code;
}

async function readAll(events: AsyncIterable<TurnEvent>) {
  const heard = { text: "", hasEnd: false, code: "none" };
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
