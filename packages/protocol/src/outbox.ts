/**
 * What one end still has to say, cut into records of whatever size is wanted now.
 *
 * The worker takes one steady record per tick; everybody else flushes at once.
 *
 * @module
 */
import { ENTRY_HEADER_BYTES, encodeEntry, EntryType } from "./record.ts";

/** An end entry: its header, entries (4 bytes) and data bytes (8). */
const END_DATA_BYTES = 12;

interface QueuedMessage {
  readonly stream: number;
  /** The message's bytes, kind first; `undefined` means the end of the stream. */
  bytes: Buffer | undefined;
  /** How much of `bytes` has been sent. */
  sent: number;
}

interface StreamCount {
  entries: number;
  bytes: number;
}

export class Outbox {
  readonly #queue: QueuedMessage[] = [];
  readonly #counts = new Map<number, StreamCount>();

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /**
   * Queues a whole message, kind first. The bytes are the outbox's now: it overwrites them once sent.
   *
   * @throws RangeError for an empty message, which could never leave
   */
  push(stream: number, message: Buffer): void {
    if (message.length === 0) throw new RangeError("a message without a kind");
    this.#queue.push({ stream, bytes: message, sent: 0 });
  }

  /**
   * Appends to the last queued message where that has the same kind and has not begun to leave,
   * else queues a new one: deltas that wait for a tick travel as one.
   */
  append(stream: number, kind: number, bytes: Buffer): void {
    const last = this.#queue.at(-1);
    if (last?.stream === stream && last.sent === 0 && last.bytes?.[0] === kind) {
      const joined = Buffer.concat([last.bytes, bytes]);
      last.bytes.fill(0);
      last.bytes = joined;
    } else {
      this.push(stream, Buffer.concat([Buffer.of(kind), bytes]));
    }
    bytes.fill(0);
  }

  /** Queues the authenticated end of this direction of a stream. */
  end(stream: number): void {
    this.#queue.push({ stream, bytes: undefined, sent: 0 });
  }

  /** How many record bytes everything queued would take. */
  get pendingBytes(): number {
    return this.#queue.reduce(
      (sum, { bytes, sent }) =>
        sum + ENTRY_HEADER_BYTES + (bytes ? bytes.length - sent : END_DATA_BYTES),
      0,
    );
  }

  /** Whether a record of this size takes all that is queued, and the end of a stream besides. */
  fitsWithEnd(size: number): boolean {
    return this.pendingBytes + ENTRY_HEADER_BYTES + END_DATA_BYTES <= size;
  }

  /** The next record, exactly `size` bytes: as much as fits of what is queued, then zeros. */
  take(size: number): Buffer {
    const record = Buffer.alloc(size);
    let offset = 0;
    for (let first = this.#queue[0]; first; first = this.#queue[0]) {
      const next = this.#writeFrom(first, record, offset);
      if (next === offset) break;
      offset = next;
    }
    return record;
  }

  /** Overwrites and drops what has not been sent. */
  erase(): void {
    for (const { bytes } of this.#queue.splice(0)) bytes?.fill(0);
  }

  #writeFrom(item: QueuedMessage, record: Buffer, offset: number): number {
    const room = record.length - offset - ENTRY_HEADER_BYTES;
    if (!item.bytes) {
      if (room < END_DATA_BYTES) return offset;
      this.#queue.shift();
      return encodeEntry(record, offset, EntryType.end, item.stream, this.#endData(item.stream));
    }
    const length = Math.min(room, item.bytes.length - item.sent);
    if (length <= 0) return offset;
    const data = item.bytes.subarray(item.sent, item.sent + length);
    item.sent += length;
    const isLast = item.sent === item.bytes.length;
    this.#count(item.stream, length);
    const type = isLast ? EntryType.message : EntryType.part;
    const next = encodeEntry(record, offset, type, item.stream, data);
    data.fill(0);
    if (isLast) this.#queue.shift();
    return next;
  }

  #count(stream: number, bytes: number): void {
    const count = this.#counts.get(stream) ?? { entries: 0, bytes: 0 };
    count.entries += 1;
    count.bytes += bytes;
    this.#counts.set(stream, count);
  }

  #endData(stream: number): Buffer {
    const { entries, bytes } = this.#counts.get(stream) ?? { entries: 0, bytes: 0 };
    this.#counts.delete(stream);
    const data = Buffer.alloc(END_DATA_BYTES);
    data.writeUInt32BE(entries, 0);
    data.writeBigUInt64BE(BigInt(bytes), 4);
    return data;
  }
}
