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
import { activeDevice, CryptoError, TICKET_BYTES } from "@phantoma/crypto";
import type { Socket } from "node:net";
import { FrameLink, type Frame } from "../ipc/frames.ts";
import {
  KeeperAnswer,
  keeperRefusals,
  keeperRequests,
  MAX_KEEPER_ANSWER_BYTES,
  MAX_KEEPER_REQUEST_BYTES,
  type CellRole,
  type KeeperRefusal,
  type KeeperRequest,
} from "../ipc/keeper-link.ts";
import type { GenuineTicket } from "../tickets/ticket-check.ts";
import { acceptTicket, certify } from "./certify.ts";
import type { Keeper } from "./keeper.ts";

const KEY_BYTES = 32;
const MAX_RECEIPTS_PER_ANSWER = 100;

export class CellChannel {
  readonly #keeper: Keeper;
  readonly role: CellRole;
  readonly #link: FrameLink;
  #certified: { readonly genuine: GenuineTicket; readonly key: Uint8Array; at: number } | undefined;

  constructor(keeper: Keeper, role: CellRole, socket: Socket) {
    this.#keeper = keeper;
    this.role = role;
    this.#link = new FrameLink(socket, MAX_KEEPER_REQUEST_BYTES, (frame) => this.#answer(frame));
    void this.#link.closed.then(() => this.#ended());
  }

  get closed(): Promise<void> {
    return this.#link.closed;
  }

  get isServing(): boolean {
    return this.#certified !== undefined && this.#link.isOpen;
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

  /** Throws on anything that is not due; the link closes then. */
  #answer({ kind, body }: Frame): void {
    // A cell asks and reads; one that only asks would have its answers pile up here.
    if (this.#link.queuedBytes > MAX_KEEPER_ANSWER_BYTES) throw new RangeError("answers not taken");
    const request = requestByKind.get(kind);
    if (!request) throw new RangeError("no such request");
    const row = keeperRequests[request];
    if (!(row.from as readonly CellRole[]).includes(this.role)) throw new RangeError("not yours");
    if ((request === "certify") !== (this.#certified === undefined))
      throw new RangeError("certify comes first, and once");
    const answer = this.#answers[request](body);
    if (typeof answer !== "string") return this.#link.send(KeeperAnswer.done, answer);
    this.#link.send(KeeperAnswer.refused, Buffer.of(keeperRefusals.indexOf(answer)));
    // One try: a process whose ticket was refused has nothing else to ask.
    if (!this.#certified) void this.#link.finish();
  }

  readonly #answers: Record<KeeperRequest, (body: Buffer) => Uint8Array | KeeperRefusal> = {
    certify: (body) => this.#certify(body),
    status: () => json(this.#keeper.status()),
    models: () => json(this.#keeper.models()),
    devices: () => this.#keeper.devices.currentBytes,
    receipts: (body) => this.#receipts(body),
    submitDeviceList: (body) => this.#submitDeviceList(body),
  };

  #certify(body: Buffer): Uint8Array | KeeperRefusal {
    if (body.length !== KEY_BYTES + TICKET_BYTES) return "ERR_MALFORMED";
    const key = new Uint8Array(body.subarray(0, KEY_BYTES));
    const certifier = this.#keeper.certifier();
    const now = Date.now();
    const genuine = acceptTicket(body.subarray(KEY_BYTES), this.role, certifier, now);
    if (!genuine) return "ERR_TICKET";
    this.#certified = { genuine, key, at: now };
    return certify(genuine, this.role, key, certifier, now);
  }

  #receipts(body: Buffer): Uint8Array | KeeperRefusal {
    if (body.length !== 2 && body.length !== 2 + KEY_BYTES) return "ERR_MALFORMED";
    const limit = Math.min(body.readUInt16BE(0), MAX_RECEIPTS_PER_ANSWER);
    const task = body.length > 2 ? body.subarray(2) : undefined;
    const { device } = this.#certified!.genuine;
    const owner = device.role === "admin" ? undefined : device.signingKey;
    return Buffer.concat(this.#keeper.receipts.find(owner, task, limit).map(withLength));
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
    return new Uint8Array(0);
  }

  #ended(): void {
    if (!this.#certified || this.role !== "worker") return;
    const { genuine, key, at } = this.#certified;
    this.#keeper.receipts.issue(
      {
        task: genuine.hash,
        device: genuine.device.signingKey,
        workerKey: key,
        model: genuine.ticket.model,
        release: this.#keeper.installation.release,
        certifiedAt: at,
      },
      Date.now(),
    );
  }
}

const requestByKind = new Map<number, KeeperRequest>(
  Object.entries(keeperRequests).map(([name, { kind }]) => [kind, name as KeeperRequest]),
);

function withLength(document: Uint8Array): Buffer {
  const framed = Buffer.alloc(4 + document.length);
  framed.writeUInt32BE(document.length);
  framed.set(document, 4);
  return framed;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value), "utf8");
}
