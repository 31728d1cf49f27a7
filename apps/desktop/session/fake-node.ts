/**
 * A node played for tests: workers that remember as real ones do, and answer what a test wants.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import {
  ClientError,
  signFirstDeviceList,
  type ConversationOptions,
  type LastSeen,
  type ModelFile,
  type ModelSource,
  type ResolvedModel,
  type TurnEvent,
  type VerifiedReceipt,
  type Reporting,
  type Update,
  VaultLink,
  type WindowState,
} from "@phantoma/client";
import { generateDeviceIdentity } from "@phantoma/crypto";
import type { NodePlace } from "@phantoma/release";
import type { Said } from "./message-tree.ts";
import type { LiveControl, LiveConversation, LiveNode, NodeClient } from "./node-client.ts";

type Finish = Extract<TurnEvent, { type: "finish" }>["finish"];

export const NODE_KEY = "ab".repeat(32);
export const MODEL = "cd".repeat(32);
export const IDLE_TIMEOUT_MS = 120_000;
const PIECE_BYTES = 45_000;

/** What a worker does with a question. */
export type Answering = (worker: FakeWorker, question: string) => AsyncIterable<string>;

export class FakeWorker implements LiveConversation {
  readonly opened = { model: "m", contextTokens: 512, threads: 1, idleTimeoutMs: IDLE_TIMEOUT_MS };
  readonly task = randomBytes(32);
  /** Of its node, for the key of a worker that never was. */
  readonly certificate: LiveConversation["certificate"];
  /** What it was told and said, as apps/node's worker keeps it. */
  memory: Said[];
  readonly #answering: Answering;
  readonly #mode: ConversationOptions["mode"];
  readonly #events = new EventEmitter();
  readonly #closed = Promise.withResolvers<Awaited<LiveConversation["closed"]>>();
  isClosed = false;
  isStopped = false;

  constructor(options: ConversationOptions, answering: Answering) {
    this.memory = [...(options.history as Said[])];
    this.#mode = options.mode;
    this.#answering = answering;
    this.certificate = {
      role: "worker",
      node: Buffer.from(NODE_KEY, "hex"),
      key: randomBytes(32),
      ticket: this.task,
      device: options.device.tunnel.publicKey,
      model: options.model,
      release: new Uint8Array(32),
      starter: "gateway",
      policy: "none",
      issuedAt: 0,
      expiresAt: 0,
    };
  }

  get closed() {
    return this.#closed.promise;
  }

  async *turn({ text, keep = Infinity }: { text: string; keep?: number }) {
    if (this.isClosed) throw new ClientError("ERR_CONNECTION_LOST", "gone");
    this.isStopped = false;
    this.memory.length = Math.min(keep, this.memory.length);
    this.memory.push({ role: "user", text });
    let answer = "";
    for await (const part of this.#answering(this, text)) {
      answer += part;
      yield { type: "delta", text: part } as const;
    }
    this.memory.push({ role: "assistant", text: answer });
    yield { type: "finish", finish: finishOf(this.isStopped, answer) } as const;
    yield { type: "end" } as const;
    if (this.#mode === "turn") this.close("turn-done");
  }

  stop(): void {
    this.isStopped = true;
    this.#events.emit("stop");
  }

  async stopped(): Promise<void> {
    if (!this.isStopped) await once(this.#events, "stop");
  }

  async end(): Promise<void> {
    this.close("ended");
  }

  drop(): void {
    this.close(new ClientError("ERR_CONNECTION_LOST", "dropped"));
  }

  close(reason: Awaited<LiveConversation["closed"]>): void {
    this.isClosed = true;
    this.#closed.resolve(reason);
  }
}

function finishOf(wasStopped: boolean, answer: string): Finish {
  return {
    reason: wasStopped ? "stopped" : "stop",
    usage: { promptTokens: 3, reusedTokens: 0, completionTokens: answer.length },
    timings: { promptMs: 1, firstTokenMs: 2, totalMs: 12 },
  };
}

/** Says the question again, in two parts. */
export const echo: Answering = async function* (_worker, question) {
  yield "you said: ";
  yield question;
};

/** Of somebody else's device: in force where a test gives no list. */
const { list: firstList } = signFirstDeviceList(
  generateDeviceIdentity(),
  "another's",
  Buffer.from(NODE_KEY, "hex"),
  1,
);

export class FakeNode implements NodeClient {
  readonly workers: FakeWorker[] = [];
  answering: Answering = echo;
  /** Thrown by the next attempts to connect, one each. */
  readonly failures: Error[] = [];
  /** Set to keep the next callers waiting in the queue. */
  queue: { readonly position: number; readonly assigned: Promise<void> } | undefined;
  wasStopped = false;
  /** What was pushed, by digest in hex. */
  readonly pushed = new Map<string, Buffer>();
  /** What was looked up. */
  readonly resolved: ModelSource[] = [];
  receipts: VerifiedReceipt[] = [];
  /** What receipts were asked for. */
  readonly asked: object[] = [];
  /** Each that was in force; the last one is. */
  readonly deviceLists: Uint8Array[] = [];
  vault = new VaultLink(async () => {
    throw new ClientError("ERR_UNREACHABLE", "this played node keeps no vault");
  });
  lastSeen: LastSeen = [];
  /** What it says its clock shows. */
  nodeTime = () => Date.now();
  window: WindowState = { open: null, highestCounter: "0", transfers: [] };
  reporting: Reporting = { order: null, highestCounter: "0", sent: [], licences: [] };
  update: Update = {
    version: "0.1.0",
    release: "00".repeat(32),
    fetched: [],
    given: [],
    policy: null,
    highestCounter: "0",
    outcome: null,
  };
  /** What its sessions are certified with. */
  release = "00".repeat(32);
  /** A release that lies there, by folder and path. */
  readUpdateFile = async (_place: NodePlace, _path: string): Promise<Buffer | undefined> =>
    undefined;
  /** The orders and licences it was given. */
  readonly orders: Uint8Array[] = [];

  get last(): FakeWorker {
    return this.workers.at(-1)!;
  }

  async openConversation(options: ConversationOptions): Promise<LiveConversation> {
    const failure = this.failures.shift();
    if (failure) throw failure;
    if (this.queue) {
      options.onNote?.({ note: "queued", position: this.queue.position });
      const given = Promise.withResolvers<never>();
      const give = () => given.reject(new ClientError("ERR_CONNECTION_LOST", "given up"));
      options.signal?.addEventListener("abort", give);
      if (options.signal?.aborted) give();
      await Promise.race([this.queue.assigned, given.promise]);
      options.onNote?.({ note: "assigned" });
    }
    const worker = new FakeWorker(options, (asked, question) => this.answering(asked, question));
    this.workers.push(worker);
    return worker;
  }

  get deviceList(): Uint8Array {
    return this.deviceLists.at(-1) ?? firstList;
  }

  set deviceList(list: Uint8Array) {
    this.deviceLists.push(list);
  }

  async openControl(): Promise<LiveControl> {
    const failure = this.failures.shift();
    if (failure) throw failure;
    return {
      status: async () => ({
        version: "0.1.0",
        release: "00".repeat(32),
        starter: "gateway",
        policy: "none",
        nodeTime: this.nodeTime(),
        startedAt: 1,
        tasksLive: 0,
        tasksDone: 0,
        deviceListVersion: 1,
      }),
      models: async () => [{ name: "echo", digest: MODEL, bytes: 5 }],
      receipts: async (query) => {
        this.asked.push(query ?? {});
        return this.receipts;
      },
      deviceList: async () => this.deviceList,
      deviceListsAfter: async (version) =>
        this.deviceLists.filter((list) => versionOf(list) > version),
      vault: this.vault,
      submitDeviceList: async (list) => {
        this.deviceList = list;
      },
      lastSeen: async () => this.lastSeen,
      egress: async () => ({
        policy: null,
        countingSince: 1,
        counts: [],
        days: [],
        events: [],
        latest: 0,
      }),
      doctor: async () => ({
        grade: "B",
        heldBy: "freedMemory",
        readAt: 1,
        findings: {
          cell: { isGood: true, detail: null },
          freedMemory: { isGood: false, detail: null },
          swap: { isGood: true, detail: null },
          hibernation: { isGood: true, detail: null },
          coreDumps: { isGood: true, detail: null },
          pageMerging: { isGood: true, detail: null },
          kernelUpdate: { isGood: null, detail: "no installed kernel was found" },
          sshPasswords: { isGood: false, detail: "by default" },
          logs: { isGood: true, detail: null },
          policy: { isGood: true, detail: "cgroup" },
        },
      }),
      window: async () => this.window,
      openWindow: async (order) => void this.orders.push(order),
      closeWindow: async () => undefined,
      removeModel: async () => undefined,
      verifyModel: async () => true,
      reporting: async () => this.reporting,
      submitStandingOrder: async (order) => void this.orders.push(order),
      submitLicence: async (licence) => void this.orders.push(licence),
      release: this.release,
      update: async () => this.update,
      readUpdate: async (place, path, offset) => {
        const file = await this.readUpdateFile(place, path);
        return { bytes: file?.length ?? null, piece: file?.subarray(offset) ?? Buffer.alloc(0) };
      },
      approveUpdate: async (approval) => void this.orders.push(approval),
      submitUpdatePolicy: async (policy) => void this.orders.push(policy),
      close: () => undefined,
    };
  }

  async resolveModel(source: ModelSource): Promise<ResolvedModel> {
    this.resolved.push(source);
    const endpoint = { name: "models.example", address: "192.0.2.7", port: 443 };
    const [digest, digestFrom] = [
      source.sha256 ?? MODEL,
      source.sha256 ? "given" : "host",
    ] as const;
    return { path: "/a/b.gguf", digest, bytes: 7, digestFrom, endpoints: [endpoint] };
  }

  /** Reads in the small pieces of a tunnel, from where it has it. */
  async pushModel(file: ModelFile): Promise<void> {
    let had = this.pushed.get(file.digest) ?? Buffer.alloc(0);
    while (had.length < file.bytes) {
      had = Buffer.concat([had, await file.read(had.length, PIECE_BYTES)]);
      this.pushed.set(file.digest, had);
    }
  }

  async startNode(): Promise<LiveNode> {
    const profile = {
      name: "demo",
      url: "wss://127.0.0.1:1",
      nodeKey: NODE_KEY,
      tlsCertificate: "",
      starter: "gateway",
      policy: "none",
      release: "00".repeat(32),
    } as const;
    const stop = async () => {
      this.wasStopped = true;
    };
    return { profile, policyReason: "a played node has no kernel", stop };
  }
}

/** PROTOCOL.md, section 7.5. */
function versionOf(list: Uint8Array): number {
  return Buffer.from(list).readUInt32BE(34);
}
