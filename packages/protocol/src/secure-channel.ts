/**
 * Messages over a session: what both ends of a tunnel hold once the handshake is done.
 *
 * @module
 */
import type { Session } from "@phantoma/crypto";
import { Inbox, type Received } from "./inbox.ts";
import { REQUEST_RECORD_BYTES, STEADY_RECORD_BYTES } from "./limits.ts";
import { Outbox } from "./outbox.ts";

export class SecureChannel {
  readonly outbox = new Outbox();
  readonly #session: Session;
  readonly #inbox: Inbox;

  constructor(session: Session, maxMessageBytes: number) {
    this.#session = session;
    this.#inbox = new Inbox(maxMessageBytes);
  }

  get cutStreams(): number[] {
    return this.#inbox.liveStreams;
  }

  /** @throws `CryptoError` or `ProtocolError`; either ends the session */
  receive(untrusted: Uint8Array): Received[] {
    const record = this.#session.open(untrusted);
    try {
      return this.#inbox.accept(record);
    } finally {
      record.fill(0);
    }
  }

  /** Everything queued, sealed in as few padded records as it takes. */
  flush(): Buffer[] {
    const sealed: Buffer[] = [];
    while (!this.outbox.isEmpty) sealed.push(this.#seal(paddedSize(this.outbox.pendingBytes)));
    return sealed;
  }

  /** One steady record: what is queued as far as it fits, or a dummy. */
  nextSteadyRecord(): Buffer {
    return this.#seal(STEADY_RECORD_BYTES);
  }

  /** Everything queued, sealed unpadded: for measuring what padding hides, never by default. */
  flushUnpadded(): Buffer[] {
    const sealed: Buffer[] = [];
    const largest = REQUEST_RECORD_BYTES.at(-1)!;
    while (!this.outbox.isEmpty)
      sealed.push(this.#seal(Math.min(this.outbox.pendingBytes, largest)));
    return sealed;
  }

  erase(): void {
    this.#inbox.erase();
    this.outbox.erase();
    this.#session.erase();
  }

  #seal(size: number): Buffer {
    const record = this.outbox.take(size);
    const sealed = this.#session.seal(record);
    record.fill(0);
    return sealed;
  }
}

function paddedSize(pendingBytes: number): number {
  return REQUEST_RECORD_BYTES.find((size) => size >= pendingBytes) ?? REQUEST_RECORD_BYTES.at(-1)!;
}
