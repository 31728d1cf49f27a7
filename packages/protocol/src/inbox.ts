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
  parts: Buffer[];
  partBytes: number;
  entries: number;
  bytes: number;
}

export class Inbox {
  readonly #maxMessageBytes: number;
  readonly #live = new Map<number, LiveStream>();
  /** Streams are opened in ascending order and never twice, so one number remembers them all. */
  #highestStream = -1;

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

  #acceptEntry(entry: Entry): Received | undefined {
    const stream = this.#openStream(entry.stream);
    if (entry.type === EntryType.end) {
      assertCounts(entry.data, stream);
      this.#live.delete(entry.stream);
      return { type: "end", stream: entry.stream };
    }
    stream.entries += 1;
    stream.bytes += entry.data.length;
    stream.partBytes += entry.data.length;
    if (stream.partBytes > this.#maxMessageBytes)
      throw new ProtocolError("ERR_LIMIT", `a message of over ${this.#maxMessageBytes} bytes`);
    stream.parts.push(Buffer.from(entry.data));
    if (entry.type === EntryType.part) return undefined;
    const bytes = joinParts(stream);
    if (bytes.length === 0) throw new ProtocolError("ERR_MALFORMED", "a message without a kind");
    return { type: "message", stream: entry.stream, bytes };
  }

  #openStream(id: number): LiveStream {
    const known = this.#live.get(id);
    if (known) return known;
    if (id <= this.#highestStream)
      throw new ProtocolError("ERR_MALFORMED", "an ended stream was used again");
    if (this.#live.size >= MAX_LIVE_STREAMS)
      throw new ProtocolError("ERR_LIMIT", `more than ${MAX_LIVE_STREAMS} streams at once`);
    this.#highestStream = id;
    const stream = { parts: [], partBytes: 0, entries: 0, bytes: 0 };
    this.#live.set(id, stream);
    return stream;
  }
}

function joinParts(stream: LiveStream): Buffer {
  const bytes = Buffer.concat(stream.parts);
  for (const part of stream.parts) part.fill(0);
  stream.parts = [];
  stream.partBytes = 0;
  return bytes;
}

function assertCounts(data: Buffer, stream: LiveStream): void {
  const isWhole =
    data.length === 12 &&
    data.readUInt32BE(0) === stream.entries &&
    data.readBigUInt64BE(4) === BigInt(stream.bytes) &&
    stream.parts.length === 0;
  if (!isWhole) throw new ProtocolError("ERR_MALFORMED", "a stream's end does not match it");
}
