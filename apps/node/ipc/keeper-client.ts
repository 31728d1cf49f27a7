/**
 * The cell's side of its keeper channel: one request at a time, answered in order.
 *
 * When the keeper hangs up, the task ends: that is how a revocation reaches a live session.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { FrameLink } from "./frames.ts";
import {
  KeeperAnswer,
  keeperRefusals,
  keeperRequests,
  MAX_KEEPER_ANSWER_BYTES,
  orderRefusals,
  type KeeperRefusal,
  type KeeperRequest,
  type OrderRefusal,
} from "./keeper-link.ts";

export class KeeperRefused extends Error {
  override readonly name = "KeeperRefused";
  readonly code: KeeperRefusal | "ERR_UNAVAILABLE";
  /** Why the warden refused an order. */
  readonly reason: OrderRefusal | undefined;

  constructor(code: KeeperRefusal | "ERR_UNAVAILABLE", reason?: OrderRefusal) {
    super(`the keeper refused: ${code}`);
    this.code = code;
    this.reason = reason;
  }
}

interface Waiting {
  resolve(body: Buffer): void;
  reject(error: Error): void;
}

export class KeeperClient {
  readonly #link: FrameLink;
  readonly #waiting: Waiting[] = [];
  #wasRevoked = false;

  constructor(socket: Duplex) {
    this.#link = new FrameLink(socket, MAX_KEEPER_ANSWER_BYTES, ({ kind, body }) => {
      if (kind === KeeperAnswer.revoked) {
        this.#wasRevoked = true;
        return;
      }
      const waiting = this.#waiting.shift();
      if (!waiting) throw new RangeError("an answer that nobody waits for");
      if (kind === KeeperAnswer.done) waiting.resolve(Buffer.from(body));
      else waiting.reject(refusalIn(body));
    });
    void this.#link.closed.then(() => {
      for (const waiting of this.#waiting.splice(0))
        waiting.reject(new KeeperRefused("ERR_UNAVAILABLE"));
    });
  }

  get closed(): Promise<void> {
    return this.#link.closed;
  }

  /** Whether the keeper hangs up because the device was revoked. */
  get wasRevoked(): boolean {
    return this.#wasRevoked;
  }

  /** @throws {@link KeeperRefused} */
  ask(request: KeeperRequest, body: Uint8Array = new Uint8Array(0)): Promise<Buffer> {
    if (!this.#link.isOpen) return Promise.reject(new KeeperRefused("ERR_UNAVAILABLE"));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#link.send(keeperRequests[request].kind, body);
    });
  }

  close(): void {
    this.#link.close();
  }
}

function refusalIn(body: Buffer): KeeperRefused {
  const [number = -1, reason = -1] = body;
  return new KeeperRefused(keeperRefusals[number] ?? "ERR_MALFORMED", orderRefusals[reason]);
}
