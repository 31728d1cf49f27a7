/**
 * Frames between processes of one node, over Unix sockets and inherited descriptors.
 *
 *   offset  size  field
 *        0     1  kind    from the closed list of the link
 *        1     4  length  of the body, big-endian, at most the link's limit
 *        5     n  body
 *
 * @module
 */
import type { Duplex } from "node:stream";

export const FRAME_HEADER_BYTES = 5;

export interface Frame {
  readonly kind: number;
  readonly body: Buffer;
}

export function encodeFrame(kind: number, body: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafeSlow(FRAME_HEADER_BYTES + body.length);
  frame.writeUInt8(kind, 0);
  frame.writeUInt32BE(body.length, 1);
  frame.set(body, FRAME_HEADER_BYTES);
  return frame;
}

/** Cuts a byte stream into frames; holds at most one unfinished frame. */
export class FrameDecoder {
  readonly #maxBodyBytes: number;
  #pending: Buffer = Buffer.alloc(0);

  constructor(maxBodyBytes: number) {
    this.#maxBodyBytes = maxBodyBytes;
  }

  /** @throws RangeError when a frame announces more than the link allows */
  push(untrusted: Buffer): Frame[] {
    this.#pending = this.#pending.length ? Buffer.concat([this.#pending, untrusted]) : untrusted;
    const frames: Frame[] = [];
    for (let frame = this.#next(); frame; frame = this.#next()) frames.push(frame);
    return frames;
  }

  #next(): Frame | undefined {
    if (this.#pending.length < FRAME_HEADER_BYTES) return undefined;
    const length = this.#pending.readUInt32BE(1);
    if (length > this.#maxBodyBytes) throw new RangeError("a frame over its link's limit");
    const end = FRAME_HEADER_BYTES + length;
    if (this.#pending.length < end) return undefined;
    const frame = {
      kind: this.#pending.readUInt8(0),
      body: this.#pending.subarray(FRAME_HEADER_BYTES, end),
    };
    this.#pending = this.#pending.subarray(end);
    return frame;
  }
}

/** A link that carries frames both ways and closes itself on anything it does not understand. */
export class FrameLink {
  readonly #socket: Duplex;
  readonly #closed: Promise<void>;

  /**
   * @param onFrame may throw: the link is closed then
   */
  constructor(socket: Duplex, maxBodyBytes: number, onFrame: (frame: Frame) => void) {
    this.#socket = socket;
    const decoder = new FrameDecoder(maxBodyBytes);
    socket.on("data", (chunk: Buffer) => {
      try {
        for (const frame of decoder.push(chunk)) {
          if (socket.destroyed) return;
          onFrame(frame);
        }
      } catch {
        socket.destroy();
      }
    });
    // The other end's death shows as an error or an end; both are simply the end of the link.
    socket.on("error", () => socket.destroy());
    socket.on("end", () => socket.destroy());
    this.#closed = new Promise((resolve) => socket.once("close", () => resolve()));
    if (socket.destroyed) this.#closed = Promise.resolve();
  }

  get closed(): Promise<void> {
    return this.#closed;
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  /** Bytes not yet taken by the other end. */
  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  send(kind: number, body: Uint8Array = NOTHING): void {
    if (!this.#socket.destroyed) this.#socket.write(encodeFrame(kind, body));
  }

  /** Resolves when the other end has taken what was queued, or will take no more. */
  async drained(): Promise<void> {
    if (this.#socket.destroyed || !this.#socket.writableNeedDrain) return;
    await Promise.race([
      new Promise((resolve) => this.#socket.once("drain", resolve)),
      this.#closed,
    ]);
  }

  /** Waits until what was sent has left this process, then closes. */
  async finish(): Promise<void> {
    if (this.#socket.destroyed) return;
    await new Promise<void>((resolve) => this.#socket.end(resolve));
    this.#socket.destroy();
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Stops and resumes reading, to slow down a sender. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }
}

const NOTHING = Buffer.alloc(0);
