/**
 * A control session: what a node is, holds and refused, and what an admin changes there.
 *
 * @module
 */
import { CryptoError, openReceipt, sameBytes, type VerifiedReceipt } from "@phantoma/crypto";
import {
  ControlKind,
  controlResponseSchema,
  decodeJson,
  encodeJson,
  type ControlRequest,
  type ControlResponse,
  type Doctor,
  type Egress,
  type LastSeen,
  type Model,
  type Received,
  type Reporting,
  type Status,
  type Update,
  type UpdatePlace,
  type WindowState,
} from "@phantoma/protocol";
import { ClientError } from "./client-error.ts";
import type { NodeProfile } from "./node-profile.ts";
import { Tunnel, type TunnelOptions } from "./tunnel.ts";
import { VaultLink } from "./vault-link.ts";

/** A clerk and a keeper answer in milliseconds; one that keeps an answer back would keep us for ever. */
const REQUEST_TIMEOUT_MS = 10_000;
/** Reading a model whole takes as long as its disk: 100 GB at 100 MB/s. */
const WHOLE_FILE_TIMEOUT_MS = 20 * 60_000;
/** A stream's number has 16 bits; a session of more requests is followed by another. */
const LAST_STREAM = 65_535;

export type ReceiptQuery = { readonly limit?: number } & (
  | { readonly task?: Uint8Array; readonly before?: never }
  | { readonly task?: never; readonly before?: number }
);

type Answer<K extends ControlResponse["response"]> = Extract<ControlResponse, { response: K }>;

export class ControlSession {
  /** What the node keeps of this device's vault. */
  readonly vault = new VaultLink((request, expected) => this.#ask(request, expected));
  readonly #tunnel: Tunnel;
  readonly #profile: NodeProfile;
  readonly #waiting = new Map<number, PromiseWithResolvers<ControlResponse>>();
  #nextStream = 1;

  /** @throws {@link ClientError} */
  static async open(options: Omit<TunnelOptions, "model">): Promise<ControlSession> {
    return new ControlSession(await Tunnel.open(options));
  }

  private constructor(tunnel: Tunnel) {
    this.#tunnel = tunnel;
    this.#profile = tunnel.profile;
    tunnel.handle({
      received: (event) => this.#receive(event),
      closed: (error) => {
        for (const { reject } of this.#waiting.values()) reject(error);
      },
    });
  }

  /** Every question throws {@link ClientError} `ERR_TIMEOUT` when its answer does not come. */
  async status(): Promise<Status> {
    return (await this.#ask({ request: "status" }, "status")).status;
  }

  async models(): Promise<Model[]> {
    return (await this.#ask({ request: "models" }, "models")).models;
  }

  /** The device list as signed; the caller follows the chain it knows. */
  async deviceList(): Promise<Uint8Array> {
    const { document } = await this.#ask({ request: "devices" }, "devices");
    return Buffer.from(document, "base64");
  }

  /** The lists after a version as signed, oldest first: as many as the node puts into an answer; none after the last. */
  async deviceListsAfter(version: number): Promise<Uint8Array[]> {
    const request = { request: "device-lists", after: version } as const;
    const { documents } = await this.#ask(request, "lists");
    return documents.map((document) => Buffer.from(document, "base64"));
  }

  async submitDeviceList(list: Uint8Array): Promise<void> {
    const document = Buffer.from(list).toString("base64");
    await this.#ask({ request: "submit-device-list", document }, "accepted");
  }

  /**
   * Receipts, verified with the keys of node and warden, newest first: of one task, or below a number.
   *
   * @throws {@link ClientError} `ERR_NODE_IDENTITY` when one is not genuine, or not one that was asked for
   */
  async receipts(query: ReceiptQuery = {}): Promise<VerifiedReceipt[]> {
    const { task, before, limit = 20 } = query;
    const below = before === undefined ? {} : { before };
    const filter = task ? { task: Buffer.from(task).toString("hex") } : below;
    const request = { request: "receipts", limit, ...filter } as const;
    const { documents } = await this.#ask(request, "receipts");
    const receipts = documents.map((document) => this.#verify(Buffer.from(document, "base64")));
    if (task && receipts.some(({ receipt }) => !sameBytes(receipt.task, task)))
      throw new ClientError("ERR_NODE_IDENTITY", "the node gave the receipt of another task");
    if (before !== undefined && receipts.some(({ receipt }) => receipt.sequence >= BigInt(before)))
      throw new ClientError(
        "ERR_NODE_IDENTITY",
        `the node gave a receipt that is not below ${before}`,
      );
    return receipts;
  }

  /** State of the kernel policy, exact counts, and the attempts after a sequence, oldest first. */
  async egress(query: { after?: number; limit?: number } = {}): Promise<Egress> {
    const { after = 0, limit = 200 } = query;
    return (await this.#ask({ request: "egress", after, limit }, "egress")).egress;
  }

  /** The wipe grade, and what of the node's machine needs a person. */
  async doctor(): Promise<Doctor> {
    return (await this.#ask({ request: "doctor" }, "doctor")).doctor;
  }

  async window(): Promise<WindowState> {
    return (await this.#ask({ request: "window" }, "window")).window;
  }

  /** @param order signed by an admin's device */
  async openWindow(order: Uint8Array): Promise<void> {
    const document = Buffer.from(order).toString("base64");
    await this.#ask({ request: "open-window", document }, "accepted");
  }

  async closeWindow(): Promise<void> {
    await this.#ask({ request: "close-window" }, "accepted");
  }

  /** In which hour each device was last let in, since the node's keeper started; for admins. */
  async lastSeen(): Promise<LastSeen> {
    return (await this.#ask({ request: "last-seen" }, "last-seen")).devices;
  }

  /** What the node reports to whom, byte for byte, and its licences. */
  async reporting(): Promise<Reporting> {
    return (await this.#ask({ request: "reporting" }, "reporting")).reporting;
  }

  /** @param order signed by an admin's device */
  async submitStandingOrder(order: Uint8Array): Promise<void> {
    const document = Buffer.from(order).toString("base64");
    await this.#ask({ request: "submit-standing-order", document }, "accepted");
  }

  /** @param licence signed by the control plane that the standing order names */
  async submitLicence(licence: Uint8Array): Promise<void> {
    const document = Buffer.from(licence).toString("base64");
    await this.#ask({ request: "submit-licence", document }, "accepted");
  }

  /** Which release runs, which one waits, and what an admin said about it. */
  async update(): Promise<Update> {
    return (await this.#ask({ request: "update" }, "update")).update;
  }

  /** A piece of a file of a release; `bytes`: how long the whole file is, `null` where there is none. */
  async readUpdate(
    place: UpdatePlace,
    path: string,
    offset: number,
  ): Promise<{ readonly bytes: number | null; readonly piece: Buffer }> {
    const request = { request: "read-update", place, path, offset } as const;
    const { bytes, piece } = await this.#ask(request, "piece");
    return { bytes, piece: Buffer.from(piece, "base64") };
  }

  /** @param approval signed by an admin's device */
  async approveUpdate(approval: Uint8Array): Promise<void> {
    const document = Buffer.from(approval).toString("base64");
    // The node copies a bundle while hashing it.
    await this.#ask({ request: "approve-update", document }, "accepted", WHOLE_FILE_TIMEOUT_MS);
  }

  /** @param policy signed by an admin's device */
  async submitUpdatePolicy(policy: Uint8Array): Promise<void> {
    const document = Buffer.from(policy).toString("base64");
    await this.#ask({ request: "submit-update-policy", document }, "accepted");
  }

  /** @returns how many bytes of the file the node has already */
  async beginUpdatePush(path: string, bytes: number): Promise<number> {
    return (await this.#ask({ request: "push-update", path, bytes }, "push")).offset;
  }

  /** @returns how many bytes the node has now; all of them: the file is there */
  async pushUpdateChunk(path: string, offset: number, bytes: Uint8Array): Promise<number> {
    const chunk = Buffer.from(bytes).toString("base64");
    const request = { request: "push-update-chunk", path, offset, chunk } as const;
    return (await this.#ask(request, "push", WHOLE_FILE_TIMEOUT_MS)).offset;
  }

  /** The node's, under the key that it has now. */
  get profile(): NodeProfile {
    return this.#profile;
  }

  /** SHA-256 of the release that the node certified this session with. */
  get release(): string {
    return Buffer.from(this.#tunnel.certificate.release).toString("hex");
  }

  /** @returns how many bytes of the model the node has already */
  async beginPush({ name, digest, bytes }: Model): Promise<number> {
    const request = { request: "push-model", name, digest, bytes } as const;
    // What came in an earlier push is read again.
    return (await this.#ask(request, "push", WHOLE_FILE_TIMEOUT_MS)).offset;
  }

  /** @returns how many bytes the node has now; all of them: the model is stored */
  async pushChunk(digest: string, offset: number, bytes: Uint8Array): Promise<number> {
    const chunk = Buffer.from(bytes).toString("base64");
    const request = { request: "push-chunk", digest, offset, chunk } as const;
    return (await this.#ask(request, "push", WHOLE_FILE_TIMEOUT_MS)).offset;
  }

  async removeModel(digest: string): Promise<void> {
    await this.#ask({ request: "remove-model", digest }, "accepted");
  }

  /** Whether the stored bytes are still those of the digest; the node reads all of them. */
  async verifyModel(digest: string): Promise<boolean> {
    const request = { request: "verify-model", digest } as const;
    return (await this.#ask(request, "model", WHOLE_FILE_TIMEOUT_MS)).isWhole;
  }

  close(): void {
    this.#tunnel.close();
  }

  #verify(document: Uint8Array): VerifiedReceipt {
    const { nodeKey, wardenKey } = this.#profile;
    const warden = wardenKey === undefined ? undefined : Buffer.from(wardenKey, "hex");
    try {
      return openReceipt(document, Buffer.from(nodeKey, "hex"), warden);
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error;
      throw new ClientError("ERR_NODE_IDENTITY", `a receipt is not genuine: ${error.message}`);
    }
  }

  async #ask<K extends ControlResponse["response"]>(
    request: ControlRequest,
    expected: K,
    timeoutMs = REQUEST_TIMEOUT_MS,
  ): Promise<Answer<K>> {
    if (this.#tunnel.end) throw this.#tunnel.end;
    if (this.#nextStream > LAST_STREAM)
      throw new ClientError("ERR_CONNECTION_LOST", "the session has no stream left");
    const stream = this.#nextStream++;
    const waiting = Promise.withResolvers<ControlResponse>();
    this.#waiting.set(stream, waiting);
    const late = setTimeout(
      () => waiting.reject(new ClientError("ERR_TIMEOUT", "the node did not answer in time")),
      timeoutMs,
    );
    this.#tunnel.send([{ stream, bytes: encodeJson(ControlKind.request, request), isEnd: true }]);
    const response = await waiting.promise.finally(() => {
      clearTimeout(late);
      this.#waiting.delete(stream);
    });
    if (response.response === "refused") throw new ClientError(response.code, response.message);
    if (response.response !== expected)
      throw new ClientError("ERR_INVALID_MESSAGE", "the node answered something else");
    return response as Answer<K>;
  }

  #receive(event: Received): void {
    if (event.type === "end" || event.bytes[0] !== ControlKind.response) return;
    const response = decodeJson(controlResponseSchema, event.bytes.subarray(1));
    this.#waiting.get(event.stream)?.resolve(response);
  }
}
