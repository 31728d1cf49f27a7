/**
 * The control requests of one session: answered one after the other, and never more than a few waiting,
 * so that a device that asks and does not read costs nothing.
 *
 * @module
 */
import {
  CloseCode,
  ControlKind,
  controlRequestSchema,
  decodeJson,
  encodeJson,
  MAX_LIVE_STREAMS,
  ProtocolError,
  type ControlResponse,
  type Received,
} from "@phantoma/protocol";
import { FromProcess } from "../ipc/process-link.ts";
import type { OpenTunnel } from "../tunnel-end/tunnel-end.ts";
import { answerControl, refusedBecause } from "./answer-control.ts";

export class RequestQueue {
  readonly #tunnel: OpenTunnel;
  #underWay = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(tunnel: OpenTunnel) {
    this.#tunnel = tunnel;
  }

  /** Whether every request has its answer. */
  get isIdle(): boolean {
    return this.#underWay === 0;
  }

  /** @throws `ProtocolError` `ERR_LIMIT` or `ERR_UNEXPECTED`; the session ends then */
  add(received: Received): void {
    if (received.type === "end") return;
    const { stream, bytes } = received;
    if (bytes[0] !== ControlKind.request)
      throw new ProtocolError("ERR_UNEXPECTED", "no such message");
    if (this.#underWay >= MAX_LIVE_STREAMS)
      throw new ProtocolError("ERR_LIMIT", `more than ${MAX_LIVE_STREAMS} requests at once`);
    this.#underWay += 1;
    this.#last = this.#last.then(() => this.#answer(stream, bytes.subarray(1)));
  }

  async #answer(stream: number, untrusted: Buffer): Promise<void> {
    const response = await this.#respond(untrusted).catch(() => undefined);
    if (!response) return void this.#tunnel.leave(CloseCode.died);
    const { channel, link } = this.#tunnel;
    channel.outbox.push(stream, encodeJson(ControlKind.response, response));
    channel.outbox.end(stream);
    for (const sealed of channel.flush()) link.send(FromProcess.data, sealed);
    await link.drained();
    this.#underWay -= 1;
  }

  async #respond(untrusted: Buffer): Promise<ControlResponse> {
    try {
      return await answerControl(this.#tunnel.keeper, decodeJson(controlRequestSchema, untrusted));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return refusedBecause("ERR_INVALID_MESSAGE", error.message);
    }
  }
}
