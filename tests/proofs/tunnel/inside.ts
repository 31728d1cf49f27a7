/**
 * A gateway that was taken over holds the processes' own connections: it starts workers, hands them
 * tickets, and knocks at the keeper. None of it lets it in without a device's key.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { documentHash, generateX25519, startInitiator, type X25519KeyPair } from "@phantoma/crypto";
import { CloseCode, tunnelPrologue } from "@phantoma/protocol";
import { ChildStarter } from "../../../apps/node/gateway/starter.ts";
import { FrameLink, type Frame } from "../../../apps/node/ipc/frames.ts";
import { runPaths } from "../../../apps/node/setup/paths.ts";
import { KeeperAnswer, keeperRequests } from "../../../apps/node/ipc/keeper-link.ts";
import { decodeNumber, encodeWarm, FromProcess } from "../../../apps/node/ipc/process-link.ts";
import { MAX_PROCESS_FRAME_BYTES, ToProcess } from "../../../apps/node/ipc/process-link.ts";
import { nodeDir } from "../../node-under-test.ts";
import { endsWith, expect, expectEqual, PATIENCE_MS, within } from "./expect.ts";
import { makeTicket } from "./raw-client.ts";
import type { Stage } from "./stage.ts";

type Role = "worker" | "clerk";

export async function attackFromInside(stage: Stage): Promise<void> {
  const { device } = stage;
  await stage.control("with the device's key the same steps open a session", async () => {
    await using cell = await Cell.start(stage, "worker");
    expectEqual(await cell.handshake(makeTicket(stage), device.tunnel), "open", "the outcome");
  });
  await stage.attack("a device's ticket without the device's key", async () => {
    await using cell = await Cell.start(stage, "worker");
    const outcome = await cell.handshake(makeTicket(stage), generateX25519());
    // Where it still is sent something when it ends, its last word may be lost.
    expect([CloseCode.crypto, 0].includes(Number(outcome)), `the outcome is ${outcome}`);
    return `it ends (${outcome})`;
  });
  await stage.attack("one ticket for two workers", async () => {
    const ticket = makeTicket(stage);
    await using first = await Cell.start(stage, "worker");
    expectEqual(await first.handshake(ticket, device.tunnel), "open", "the first outcome");
    await using second = await Cell.start(stage, "worker");
    return endsWith(CloseCode.died, Number(await second.handshake(ticket, device.tunnel)));
  });
  await stage.attack("a control ticket for a worker", async () => {
    await using cell = await Cell.start(stage, "worker");
    const ticket = makeTicket(stage, { service: "control" });
    return endsWith(CloseCode.died, Number(await cell.handshake(ticket, device.tunnel)));
  });
  await stage.attack("a task's ticket for a clerk", async () => {
    await using cell = await Cell.start(stage, "clerk");
    return endsWith(CloseCode.died, Number(await cell.handshake(makeTicket(stage), device.tunnel)));
  });
  await stage.attack("a worker is told to warm up with a file that is no model here", async () => {
    const outcome = await Cell.start(stage, "worker", randomBytes(32)).then(
      async (cell) => {
        await cell[Symbol.asyncDispose]();
        return "it became warm";
      },
      (error: unknown) => String(error),
    );
    expect(outcome.includes(String(CloseCode.model)), outcome);
    return `close code ${CloseCode.model}`;
  });
  await attackKeeper(stage);
}

async function attackKeeper(stage: Stage): Promise<void> {
  const key = generateX25519().publicKey;
  const certify = (ticket: Uint8Array) => Buffer.concat([key, ticket]);
  await stage.control("the keeper certifies a fresh ticket once", async () => {
    const keeper = await KeeperEnd.open(stage, "worker");
    const ticket = makeTicket(stage);
    const request = keeperRequests.certify.kind;
    expectEqual(await keeper.ask(request, certify(ticket)), KeeperAnswer.done, "the answer");
    const again = await KeeperEnd.open(stage, "worker");
    expectEqual(await again.ask(request, certify(ticket)), KeeperAnswer.refused, "the second");
    keeper.link.close();
    again.link.close();
  });
  const requests: readonly (readonly [string, Role, number, Uint8Array])[] = [
    ["status before any certificate", "clerk", keeperRequests.status.kind, Buffer.alloc(0)],
    [
      "a device list, from a worker",
      "worker",
      keeperRequests.submitDeviceList.kind,
      randomBytes(99),
    ],
    ["a request of no known kind", "worker", 77, Buffer.alloc(0)],
    ["a request of 1 MB", "worker", keeperRequests.certify.kind, Buffer.alloc(1_000_000)],
  ];
  for (const [name, role, kind, body] of requests)
    await stage.attack(`the keeper is asked for ${name}`, async () => {
      const keeper = await KeeperEnd.open(stage, role);
      expectEqual(await keeper.ask(kind, body), "hung up", "the outcome");
      return "it hangs up";
    });
}

/** A worker or clerk of the attacker's own starting, as the gateway makes them. */
class Cell implements AsyncDisposable {
  readonly #stage: Stage;
  readonly #starter: ChildStarter;
  readonly #link: FrameLink;
  readonly #frames: Frame[] = [];
  #wake: (() => void) | undefined;

  static async start(stage: Stage, role: Role, model = stage.model): Promise<Cell> {
    const args = role === "worker" ? ["--models", join(stage.dir, "state/models")] : [];
    const starter = new ChildStarter({
      entry: join(nodeDir, role, "main.ts"),
      args,
      keeperSocket: keeperSocket(stage, role),
      cell: undefined,
    });
    const cell = new Cell(stage, starter, await starter.start());
    const order = role === "worker" ? model : new Uint8Array(32);
    cell.#link.send(ToProcess.warm, encodeWarm({ model: order, threads: 1 }));
    try {
      await cell.#next(FromProcess.ready);
    } catch (error) {
      await cell[Symbol.asyncDispose]();
      throw error;
    }
    return cell;
  }

  private constructor(
    stage: Stage,
    starter: ChildStarter,
    connection: Awaited<ReturnType<ChildStarter["start"]>>,
  ) {
    this.#stage = stage;
    this.#starter = starter;
    this.#link = new FrameLink(connection, MAX_PROCESS_FRAME_BYTES, ({ kind, body }) => {
      this.#frames.push({ kind, body: Buffer.from(body) });
      this.#wake?.();
    });
    void this.#link.closed.then(() => this.#wake?.());
  }

  /** @returns "open" when a session came about, else the close code that the process asked for */
  async handshake(ticket: Uint8Array, localStatic: X25519KeyPair): Promise<string> {
    const node = this.#stage.identity.signing.publicKey;
    const prologue = tunnelPrologue(node, documentHash(ticket));
    const { message1, next } = await startInitiator({ localStatic, prologue });
    this.#link.send(ToProcess.assign, ticket);
    this.#link.send(ToProcess.data, message1);
    try {
      const { message3, session } = next.read(await this.#next(FromProcess.data)).next.write();
      this.#link.send(ToProcess.data, message3);
      // The shortest request there is: stream 0, kind 0x04 (stop), before open; it is not due.
      this.#link.send(ToProcess.data, session.seal(Buffer.from("020000000104", "hex")));
      await this.#next(FromProcess.data);
    } catch (error) {
      if (!(error instanceof Farewell)) throw error;
      // A request was read and found not due: so there was a session.
      return error.code === CloseCode.limit ? "open" : String(error.code);
    }
    return "open";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#link.close();
    await this.#starter.stop();
  }

  async #next(kind: number): Promise<Buffer> {
    const next = (async () => {
      while (this.#frames.length === 0 && this.#link.isOpen)
        await new Promise<void>((resolve) => (this.#wake = resolve));
      return this.#frames.shift();
    })();
    const frame = await within(PATIENCE_MS, next, "the process's answer");
    if (!frame) throw new Farewell(0);
    if (frame.kind === FromProcess.bye) throw new Farewell(decodeNumber(frame.body));
    expectEqual(frame.kind, kind, "the frame's kind");
    return frame.body;
  }
}

class Farewell extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`the process ended with ${code}`);
    this.code = code;
  }
}

class KeeperEnd {
  readonly link: FrameLink;
  readonly #answer = Promise.withResolvers<number | "hung up">();

  static async open(stage: Stage, role: Role): Promise<KeeperEnd> {
    const socket = connect({ path: keeperSocket(stage, role) });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve).once("error", reject);
    });
    return new KeeperEnd(socket);
  }

  private constructor(socket: Socket) {
    this.link = new FrameLink(socket, MAX_PROCESS_FRAME_BYTES, ({ kind }) =>
      this.#answer.resolve(kind),
    );
    void this.link.closed.then(() => this.#answer.resolve("hung up"));
  }

  ask(kind: number, body: Uint8Array): Promise<number | "hung up"> {
    this.link.send(kind, body);
    return within(PATIENCE_MS, this.#answer.promise, "the keeper's answer");
  }
}

function keeperSocket(stage: Stage, role: Role): string {
  const { keeperForWorkers, keeperForClerks } = runPaths(join(stage.dir, "run"));
  return role === "worker" ? keeperForWorkers : keeperForClerks;
}
