/**
 * Puts messages together again from authenticated records, within bounds.
 *
 * @module
 */
import { MAX_LIVE_STREAMS } from "./limits.ts";
import { ProtocolError } from "./protocol-error.ts";
import { decodeRecord, EntryType, type Entry } from "./record.ts";

export type Received =
  /** A whole message, kind first; the bytes are the receiver's to erase. */
  | { readonly type: "message"; readonly stream: number; readonly bytes: Buffer }
  /** The peer has said all that it says on this stream, and nothing is missing. */
  | { readonly type: "end"; readonly stream: number };

interface LiveStream {
  /** The unfinished message; grows by doubling, so that pieces of one byte cost no more than one. */
  message: Buffer;
  messageBytes: number;
  entries: number;
  bytes: number;
}

const FIRST_CAPACITY_BYTES = 1024;

export class Inbox {
  readonly #maxMessageBytes: number;
  readonly #live = new Map<number, LiveStream>();
  /** Of all unfinished messages together: one limit, however many streams share it. */
  #unfinishedBytes = 0;
  /** Never used again. Answers begin in any order, so each is remembered; there are 65,536 at most. */
  readonly #ended = new Set<number>();

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** Streams on which the peer has begun and not ended: at a disconnect these are cut. */
  get liveStreams(): number[] {
    return [...this.#live.keys()];
  }

  /** @throws {@link ProtocolError} `ERR_MALFORMED` or `ERR_LIMIT`; the session must end then */
  accept(record: Buffer): Received[] {
    return decodeRecord(record).flatMap((entry) => this.#acceptEntry(entry) ?? []);
  }

  /** Overwrites and drops what is not whole yet; its streams stay cut. */
  erase(): void {
    for (const stream of this.#live.values()) takeMessage(stream).fill(0);
  }

  #acceptEntry(entry: Entry): Received | undefined {
    const stream = this.#openStream(entry.stream);
    if (entry.type === EntryType.end) {
      assertCounts(entry.data, stream);
      this.#live.delete(entry.stream);
      this.#ended.add(entry.stream);
      return { type: "end", stream: entry.stream };
    }
    // Also an empty part: it adds no byte to a limit, so endless ones would fill the memory.
    if (entry.data.length === 0) throw new ProtocolError("ERR_MALFORMED", "an entry without data");
    stream.entries += 1;
    stream.bytes += entry.data.length;
    this.#unfinishedBytes += entry.data.length;
    if (this.#unfinishedBytes > this.#maxMessageBytes)
      throw new ProtocolError("ERR_LIMIT", `messages of over ${this.#maxMessageBytes} bytes`);
    append(stream, entry.data);
    if (entry.type === EntryType.part) return undefined;
    this.#unfinishedBytes -= stream.messageBytes;
    return { type: "message", stream: entry.stream, bytes: takeMessage(stream) };
  }

  #openStream(id: number): LiveStream {
    const known = this.#live.get(id);
    if (known) return known;
    if (this.#ended.has(id))
      throw new ProtocolError("ERR_MALFORMED", "an ended stream was used again");
    if (this.#live.size >= MAX_LIVE_STREAMS)
      throw new ProtocolError("ERR_LIMIT", `more than ${MAX_LIVE_STREAMS} streams at once`);
    const stream = { message: NOTHING, messageBytes: 0, entries: 0, bytes: 0 };
    this.#live.set(id, stream);
    return stream;
  }
}

const NOTHING = Buffer.alloc(0);

function append(stream: LiveStream, data: Buffer): void {
  const needed = stream.messageBytes + data.length;
  if (needed > stream.message.length) {
    const capacity = Math.max(needed, 2 * stream.message.length, FIRST_CAPACITY_BYTES);
    const grown = Buffer.allocUnsafeSlow(capacity);
    stream.message.copy(grown, 0, 0, stream.messageBytes);
    stream.message.fill(0);
    stream.message = grown;
  }
  data.copy(stream.message, stream.messageBytes);
  stream.messageBytes = needed;
}

function takeMessage(stream: LiveStream): Buffer {
  const bytes = stream.message.subarray(0, stream.messageBytes);
  stream.message = NOTHING;
  stream.messageBytes = 0;
  return bytes;
}

function assertCounts(data: Buffer, stream: LiveStream): void {
  const isWhole =
    data.length === 12 &&
    data.readUInt32BE(0) === stream.entries &&
    data.readBigUInt64BE(4) === BigInt(stream.bytes) &&
    stream.messageBytes === 0;
  if (!isWhole) throw new ProtocolError("ERR_MALFORMED", "a stream's end does not match it");
}
