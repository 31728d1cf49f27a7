/**
 * One cell's channel to the keeper, from its certification to its end.
 *
 *   expecting ──certify──> serving ──(requests)──> serving ──close──> ended
 *
 * Anything that is not due, and anything not understood, ends the channel; so does the keeper when
 * the device is revoked.
 *
 * @module
 */
import { activeAdmin, activeDevice, CryptoError, TICKET_BYTES } from "@phantoma/crypto";
import { MAX_LIVE_STREAMS, modelSchema, type HostFindings } from "@phantoma/protocol";
import type { Socket } from "node:net";
import { gradeOfTask } from "../doctor/grade.ts";
import { FrameLink, type Frame } from "../ipc/frames.ts";
import {
  CELL_HANDLE_BYTES,
  CELL_HANDLE_KIND,
  KeeperAnswer,
  keeperRefusals,
  keeperRequests,
  MAX_KEEPER_ANSWER_BYTES,
  MAX_KEEPER_REQUEST_BYTES,
  orderRefusals,
  updatePlaces,
  type CellRole,
  type KeeperRefusal,
  type KeeperRequest,
  type Refusal,
} from "../ipc/keeper-link.ts";
import type { GenuineTicket } from "../tickets/ticket-check.ts";
import { acceptTicket, certify } from "./certify.ts";
import { deviceListPage } from "./device-list-page.ts";
import type { Keeper } from "./keeper.ts";
import type { ReceiptQuery } from "./receipts.ts";
import { framed } from "./vault/framed.ts";
import { answerVault } from "./vault/vault-answers.ts";

const KEY_BYTES = 32;
const DIGEST_BYTES = 32;
const NUMBER_BYTES = 8;
const MAX_RECEIPTS_PER_ANSWER = 100;
const MAX_EVENTS_PER_ANSWER = 200;
const DONE = new Uint8Array(0);

type Answer = Uint8Array | Refusal;

interface Certified {
  readonly genuine: GenuineTicket;
  readonly key: Uint8Array;
  readonly at: number;
  /** As it was then. */
  readonly machine: HostFindings;
}

export class CellChannel {
  readonly #keeper: Keeper;
  readonly role: CellRole;
  readonly #link: FrameLink;
  #last: Promise<void> = Promise.resolve();
  #underWay = 0;
  #cellHandle: Buffer | undefined;
  #hasAsked = false;
  #certified: Certified | undefined;

  constructor(keeper: Keeper, role: CellRole, socket: Socket) {
    this.#keeper = keeper;
    this.role = role;
    this.#link = new FrameLink(socket, MAX_KEEPER_REQUEST_BYTES, (frame) => this.#take(frame));
    void this.#link.closed.then(() => this.#ended());
  }

  get closed(): Promise<void> {
    return this.#link.closed;
  }

  get isServing(): boolean {
    return this.#certified !== undefined && this.#link.isOpen;
  }

  /** The digest of the model that this cell's task uses; `undefined` without one. */
  get model(): string | undefined {
    if (!this.isServing || this.role !== "worker") return undefined;
    return hex(this.#certified!.genuine.ticket.model);
  }

  close(): void {
    this.#link.close();
  }

  /** Hangs up when the device that this cell serves is no longer in the list. */
  closeIfRevoked(): void {
    if (!this.#certified) return;
    const { signingKey } = this.#certified.genuine.device;
    if (activeDevice(this.#keeper.devices.current, signingKey)) return;
    this.#link.send(KeeperAnswer.revoked);
    this.#link.close();
  }

  /** Throws on anything that is not a request of this cell's; the link closes then. */
  #take({ kind, body }: Frame): void {
    // A cell asks and reads; one that only asks would have its answers pile up here.
    if (this.#link.queuedBytes > MAX_KEEPER_ANSWER_BYTES) throw new RangeError("answers not taken");
    if (kind === CELL_HANDLE_KIND) return this.#takeHandle(body);
    if (this.#underWay >= MAX_LIVE_STREAMS) throw new RangeError("too many requests at once");
    const request = requestByKind.get(kind);
    if (!request) throw new RangeError("no such request");
    const row = keeperRequests[request];
    if (!(row.from as readonly CellRole[]).includes(this.role)) throw new RangeError("not yours");
    this.#hasAsked = true;
    this.#underWay += 1;
    // In their order: the cell knows by it which answer is for which question.
    this.#last = this.#last.then(() => this.#answer(request, body)).catch(() => this.#link.close());
  }

  /** The cell's own word, before there is a child that could say anything. */
  #takeHandle(body: Buffer): void {
    const isDue = this.role === "worker" && !this.#cellHandle && !this.#hasAsked;
    if (!isDue || body.length !== CELL_HANDLE_BYTES) throw new RangeError("not the cell's word");
    this.#cellHandle = Buffer.from(body);
  }

  async #answer(request: KeeperRequest, body: Buffer): Promise<void> {
    if (!this.#link.isOpen) return;
    if ((request === "certify") !== (this.#certified === undefined))
      throw new RangeError("certify comes first, and once");
    const answer = await this.#answers[request](body);
    this.#underWay -= 1;
    if (answer instanceof Uint8Array) return this.#link.send(KeeperAnswer.done, answer);
    this.#link.send(KeeperAnswer.refused, encodeRefusal(answer));
    // One try: a process whose ticket was refused has nothing else to ask.
    if (!this.#certified) await this.#link.finish();
  }

  readonly #answers: Record<KeeperRequest, (body: Buffer) => Answer | Promise<Answer>> = {
    certify: (body) => this.#certify(body),
    status: () => json(this.#keeper.status()),
    models: () => json(this.#keeper.models()),
    devices: () => this.#keeper.devices.currentBytes,
    deviceLists: (body) => this.#deviceLists(body),
    receipts: (body) => this.#receipts(body),
    submitDeviceList: (body) => this.#submitDeviceList(body),
    egress: (body) => this.#egress(body),
    // Any device: whoever asks a question may know what is left of it here.
    doctor: async () => json(await this.#keeper.doctor()),
    window: async () => json(await this.#keeper.windowState()),
    openWindow: (body) => this.#asAdmin(() => this.#openWindow(body)),
    closeWindow: () => this.#asAdmin(() => this.#closeWindow()),
    lastSeen: () => this.#asAdmin(async () => json(this.#keeper.lastSeen.list())),
    reporting: () => this.#asAdmin(async () => json(this.#keeper.reporting.state(Date.now()))),
    submitStandingOrder: (body) => this.#asAdmin(() => this.#submitStandingOrder(body)),
    submitLicence: (body) =>
      this.#asAdmin(async () =>
        this.#keeper.reporting.submitLicence(body, Date.now()) ? DONE : "ERR_DOCUMENT_REFUSED",
      ),
    pushModel: (body) => this.#asAdmin(() => this.#pushModel(body)),
    pushChunk: (body) => this.#asAdmin(() => this.#pushChunk(body)),
    removeModel: (body) =>
      this.#asAdmin(async () =>
        body.length === DIGEST_BYTES
          ? ((await this.#keeper.removeModel(hex(body))) ?? DONE)
          : "ERR_MALFORMED",
      ),
    verifyModel: (body) => this.#asAdmin(() => this.#verifyModel(body)),
    // Any device: whoever asks a question may know which release answers, and who signed it.
    update: () => json(this.#keeper.updates.state(Date.now())),
    readUpdate: (body) => this.#readUpdate(body),
    approveUpdate: (body) =>
      this.#asAdmin(async () => encodeTaken(await this.#keeper.updates.approve(body, Date.now()))),
    submitUpdatePolicy: (body) =>
      this.#asAdmin(async () =>
        encodeTaken(await this.#keeper.updates.submitPolicy(body, Date.now())),
      ),
    pushUpdate: (body) => this.#asAdmin(() => this.#pushUpdate(body)),
    pushUpdateChunk: (body) => this.#asAdmin(() => this.#pushUpdateChunk(body)),
    vault: (body) => this.#vault("vault", body),
    vaultDocuments: (body) => this.#vault("vaultDocuments", body),
    vaultCard: (body) => this.#vault("vaultCard", body),
    vaultRows: (body) => this.#vault("vaultRows", body),
    vaultGet: (body) => this.#vault("vaultGet", body),
    vaultPut: (body) => this.#vault("vaultPut", body),
    vaultCommit: (body) => this.#vault("vaultCommit", body),
    vaultLeave: (body) => this.#vault("vaultLeave", body),
  };

  /** Any device: each has its own. */
  #vault(request: Parameters<typeof answerVault>[2], body: Buffer): Answer | Promise<Answer> {
    const { signingKey } = this.#certified!.genuine.device;
    return answerVault(this.#keeper.vaults, signingKey, request, body);
  }

  /** By the list that is in force now: a device may have lost its role since it was certified. */
  #asAdmin(act: () => Promise<Answer>): Answer | Promise<Answer> {
    const { signingKey } = this.#certified!.genuine.device;
    return activeAdmin(this.#keeper.devices.current, signingKey) ? act() : "ERR_FORBIDDEN";
  }

  async #egress(body: Buffer): Promise<Answer> {
    if (body.length !== NUMBER_BYTES + 2) return "ERR_MALFORMED";
    const limit = Math.min(body.readUInt16BE(NUMBER_BYTES), MAX_EVENTS_PER_ANSWER);
    return json(await this.#keeper.egress(Number(body.readBigUInt64BE()), limit));
  }

  async #openWindow(order: Buffer): Promise<Answer> {
    const { policy } = this.#keeper;
    if (!policy) return "ERR_NO_POLICY";
    const refused = await policy.window.open(order, Date.now());
    if (refused === undefined) return DONE;
    if (refused === "ERR_NO_WARDEN" || refused === "ERR_WINDOW_OPEN") return refused;
    return { code: "ERR_ORDER_REFUSED", reason: refused };
  }

  async #submitStandingOrder(order: Buffer): Promise<Answer> {
    const { reporting, policy } = this.#keeper;
    let reason = reporting.refusal(order, Date.now());
    if (reason === undefined && policy) {
      // First the kernel: where the herald cannot go, nothing is to be sent.
      const refused = await policy.report(order);
      if (refused === "ERR_NO_WARDEN") return refused;
      reason = refused;
    }
    reason ??= reporting.submitOrder(order, Date.now());
    return reason === undefined ? DONE : { code: "ERR_ORDER_REFUSED", reason };
  }

  async #closeWindow(): Promise<Answer> {
    const { policy } = this.#keeper;
    if (!policy) return "ERR_NO_POLICY";
    return "ok" in (await policy.window.close()) ? DONE : "ERR_NO_WARDEN";
  }

  async #pushModel(body: Buffer): Promise<Answer> {
    if (body.length <= DIGEST_BYTES + NUMBER_BYTES) return "ERR_MALFORMED";
    const model = modelSchema.safeParse({
      digest: hex(body.subarray(0, DIGEST_BYTES)),
      bytes: Number(body.readBigUInt64BE(DIGEST_BYTES)),
      name: body.toString("utf8", DIGEST_BYTES + NUMBER_BYTES),
    });
    if (!model.success || model.data.bytes === 0) return "ERR_MALFORMED";
    return encodePushed(await this.#keeper.pushed.begin(model.data));
  }

  async #pushChunk(body: Buffer): Promise<Answer> {
    if (body.length <= DIGEST_BYTES + NUMBER_BYTES) return "ERR_MALFORMED";
    const digest = hex(body.subarray(0, DIGEST_BYTES));
    const offset = Number(body.readBigUInt64BE(DIGEST_BYTES));
    const bytes = body.subarray(DIGEST_BYTES + NUMBER_BYTES);
    return encodePushed(await this.#keeper.pushed.chunk(digest, offset, bytes));
  }

  async #verifyModel(body: Buffer): Promise<Answer> {
    if (body.length !== DIGEST_BYTES) return "ERR_MALFORMED";
    if (!this.#keeper.models().some(({ digest }) => digest === hex(body)))
      return "ERR_MODEL_UNKNOWN";
    return Buffer.of((await this.#keeper.checks.isWhole(hex(body), this.closed)) ? 1 : 0);
  }

  #readUpdate(body: Buffer): Answer {
    const place = updatePlaces[body[0] ?? updatePlaces.length];
    if (!place || body.length <= 1 + NUMBER_BYTES) return "ERR_MALFORMED";
    const path = body.toString("ascii", 1 + NUMBER_BYTES);
    return this.#keeper.updates.read(place, path, Number(body.readBigUInt64BE(1)));
  }

  async #pushUpdate(body: Buffer): Promise<Answer> {
    if (body.length <= NUMBER_BYTES) return "ERR_MALFORMED";
    const path = body.toString("ascii", NUMBER_BYTES);
    return encodePushed(await this.#keeper.updates.push(path, Number(body.readBigUInt64BE())));
  }

  async #pushUpdateChunk(body: Buffer): Promise<Answer> {
    const start = NUMBER_BYTES + 1 + (body[NUMBER_BYTES] ?? 0);
    if (body.length <= start) return "ERR_MALFORMED";
    const path = body.toString("ascii", NUMBER_BYTES + 1, start);
    const offset = Number(body.readBigUInt64BE());
    return encodePushed(await this.#keeper.updates.pushChunk(path, offset, body.subarray(start)));
  }

  #certify(body: Buffer): Uint8Array | KeeperRefusal {
    if (body.length !== KEY_BYTES + TICKET_BYTES) return "ERR_MALFORMED";
    // Clerks still come, so that an admin can see what is wrong.
    if (this.role === "worker" && this.#keeper.hasLostPolicy) return "ERR_NO_POLICY";
    const key = new Uint8Array(body.subarray(0, KEY_BYTES));
    const certifier = this.#keeper.certifier();
    const now = Date.now();
    const genuine = acceptTicket(body.subarray(KEY_BYTES), this.role, certifier, now);
    if (!genuine) return "ERR_TICKET";
    this.#certified = { genuine, key, at: now, machine: this.#keeper.machine() };
    this.#keeper.lastSeen.saw(genuine.device.signingKey, now);
    return certify(genuine, this.role, key, certifier, now);
  }

  /** Any device: each follows the chain for itself. */
  #deviceLists(body: Buffer): Answer {
    if (body.length !== 4) return "ERR_MALFORMED";
    return framed(deviceListPage(this.#keeper.devices.listsAfter(body.readUInt32BE())));
  }

  #receipts(body: Buffer): Uint8Array | KeeperRefusal {
    const which = readWhichReceipts(body.subarray(2));
    if (body.length < 2 || !which) return "ERR_MALFORMED";
    const limit = Math.min(body.readUInt16BE(0), MAX_RECEIPTS_PER_ANSWER);
    const { role, signingKey } = this.#certified!.genuine.device;
    const query = { ...which, device: role === "admin" ? undefined : signingKey };
    return framed(this.#keeper.receipts.find(query, limit));
  }

  /** The device's role does not matter here: the list must be signed by an admin of the last one. */
  #submitDeviceList(body: Buffer): Uint8Array | KeeperRefusal {
    try {
      this.#keeper.devices.add(body);
    } catch (error) {
      return error instanceof CryptoError ? "ERR_DOCUMENT_REFUSED" : "ERR_STORAGE";
    }
    // After the answer has left: it may be this very device that was revoked.
    setImmediate(() => this.#keeper.devicesChanged());
    return DONE;
  }

  async #ended(): Promise<void> {
    const endedAt = Date.now();
    const isTask = this.#certified !== undefined && this.role === "worker";
    if (isTask) this.#keeper.tasksDone += 1;
    const { cell, seen } = await this.#keeper.reports.of(this.#cellHandle);
    if (!isTask) return;
    const { genuine, key, at, machine } = this.#certified!;
    await this.#keeper.receipts.issue({
      task: genuine.hash,
      device: genuine.device.signingKey,
      workerKey: key,
      model: genuine.ticket.model,
      release: this.#keeper.installation.release,
      certifiedAt: at,
      endedAt,
      grade: gradeOfTask([machine, this.#keeper.machine()], seen),
      cell,
    });
  }
}

const requestByKind = new Map<number, KeeperRequest>(
  Object.entries(keeperRequests).map(([name, { kind }]) => [kind, name as KeeperRequest]),
);

/** Each kind of question has a length of its own. */
function readWhichReceipts(rest: Buffer): ReceiptQuery | undefined {
  switch (rest.length) {
    case 0:
      return {};
    case NUMBER_BYTES:
      return { before: rest.readBigUInt64BE() };
    case KEY_BYTES:
      return { task: rest };
    default:
      return undefined;
  }
}

function encodeRefusal(refusal: Refusal): Buffer {
  if (typeof refusal === "string") return Buffer.of(keeperRefusals.indexOf(refusal));
  const { code, reason } = refusal;
  return Buffer.of(keeperRefusals.indexOf(code), orderRefusals.indexOf(reason));
}

function encodeTaken(refused: Refusal | undefined): Answer {
  return refused ?? DONE;
}

function encodePushed(pushed: number | KeeperRefusal): Answer {
  if (typeof pushed === "string") return pushed;
  const offset = Buffer.alloc(NUMBER_BYTES);
  offset.writeBigUInt64BE(BigInt(pushed));
  return offset;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value), "utf8");
}
