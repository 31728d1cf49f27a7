/**
 * Reads the four things about a GGUF file that llama.cpp's addon does not tell. llama.cpp itself checks the rest.
 *
 *   "GGUF" · version u32 · tensors u64 · keys u64 · keys × (name, type u32, value) · tensors …
 *   a string is its length as u64, then UTF-8; all numbers are little-endian
 *
 * Source: ggml, docs/gguf.md, versions 2 and 3.
 *
 * @module
 */
import { closeSync, openSync, readSync } from "node:fs";

import { EngineError } from "./engine-error.ts";

export interface GgufMetadata {
  readonly name: string | undefined;
  readonly chatTemplate: string | undefined;
  /** What its makers recommend, from 0 to 5. */
  readonly temperature: number | undefined;
  /** Length of the longest token, so that a text of n bytes has at least n / this many tokens. */
  readonly longestTokenBytes: number;
}

/** @throws {@link EngineError} `ERR_MODEL_UNUSABLE` */
export function readGgufMetadata(path: string): GgufMetadata {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (cause) {
    throw new EngineError("ERR_MODEL_UNUSABLE", "the model file cannot be opened", { cause });
  }
  try {
    return decodeMetadata(new Cursor(file));
  } finally {
    closeSync(file);
  }
}

function decodeMetadata(untrusted: Cursor): GgufMetadata {
  if (untrusted.u32() !== MAGIC) throw unusable("it does not begin with GGUF");
  const version = untrusted.u32();
  if (version !== 2 && version !== 3) throw unusable(`version ${version} is unknown`);
  untrusted.count();
  const keys = untrusted.count();
  const strings = new Map<string, string>();
  let longestTokenBytes = 0;
  let temperature: number | undefined;
  for (let key = 0; key < keys; key++) {
    const name = untrusted.string(MAX_KEY_BYTES);
    const type = untrusted.u32();
    if (type === STRING && STRINGS_WE_READ.has(name)) {
      strings.set(name, untrusted.string(MAX_VALUE_BYTES));
    } else if (type === FLOAT32 && name === "general.sampling.temp") {
      temperature = untrusted.f32();
    } else {
      const longest = skipValue(untrusted, type);
      if (name === "tokenizer.ggml.tokens") longestTokenBytes = longest;
    }
  }
  return {
    name: strings.get("general.name"),
    chatTemplate: strings.get("tokenizer.chat_template"),
    temperature:
      temperature !== undefined && temperature >= 0 && temperature <= 5 ? temperature : undefined,
    // A file without a list of tokens gets no early refusal.
    longestTokenBytes: longestTokenBytes === 0 ? Infinity : longestTokenBytes,
  };
}

/** @returns the bytes of the longest string in it */
function skipValue(untrusted: Cursor, type: number): number {
  if (type === STRING) return untrusted.skipString();
  if (type !== ARRAY) {
    untrusted.skip(scalarBytes(type));
    return 0;
  }
  const itemType = untrusted.u32();
  const items = untrusted.count();
  if (itemType !== STRING) {
    untrusted.skip(items * scalarBytes(itemType));
    return 0;
  }
  let longest = 0;
  for (let item = 0; item < items; item++) longest = Math.max(longest, untrusted.skipString());
  return longest;
}

function scalarBytes(type: number): number {
  const bytes = SCALAR_BYTES[type];
  if (bytes === undefined) throw unusable("a key has an unknown type");
  return bytes;
}

/** Reads forward through the file, never more than a window of it in memory. */
class Cursor {
  readonly #file: number;
  #window = Buffer.alloc(0);
  #at = 0;
  #nextOffset = 0;

  constructor(file: number) {
    this.#file = file;
  }

  u32(): number {
    this.#need(4);
    this.#at += 4;
    return this.#window.readUInt32LE(this.#at - 4);
  }

  f32(): number {
    this.#need(4);
    this.#at += 4;
    return this.#window.readFloatLE(this.#at - 4);
  }

  /** A u64 that counts things, so it has to be a number a file can hold. Read in halves: a BigInt is slow here. */
  count(): number {
    this.#need(8);
    this.#at += 8;
    const count =
      this.#window.readUInt32LE(this.#at - 4) * 2 ** 32 + this.#window.readUInt32LE(this.#at - 8);
    if (count > MAX_COUNT) throw unusable("a length is impossible");
    return count;
  }

  string(maxBytes: number): string {
    const length = this.count();
    if (length > maxBytes) throw unusable("a text is too long");
    this.#need(length);
    this.#at += length;
    return this.#window.toString("utf8", this.#at - length, this.#at);
  }

  /** @returns its length in bytes */
  skipString(): number {
    const length = this.count();
    this.skip(length);
    return length;
  }

  skip(bytes: number): void {
    const inWindow = Math.min(bytes, this.#window.length - this.#at);
    this.#at += inWindow;
    // Past the end shows at the next read, which finds nothing there.
    this.#nextOffset += bytes - inWindow;
  }

  #need(bytes: number): void {
    if (this.#window.length - this.#at >= bytes) return;
    const rest = this.#window.subarray(this.#at);
    const window = Buffer.alloc(rest.length + Math.max(bytes, WINDOW_BYTES));
    rest.copy(window);
    const read = readSync(
      this.#file,
      window,
      rest.length,
      window.length - rest.length,
      this.#nextOffset,
    );
    this.#nextOffset += read;
    this.#window = window.subarray(0, rest.length + read);
    this.#at = 0;
    if (this.#window.length < bytes) throw unusable("it ends in its header");
  }
}

function unusable(reason: string): EngineError {
  return new EngineError("ERR_MODEL_UNUSABLE", `the model file is unusable: ${reason}`);
}

/** "GGUF" as a little-endian number. */
const MAGIC = 0x46554747;

const FLOAT32 = 6;
const STRING = 8;
const ARRAY = 9;

/** Bytes of u8, i8, u16, i16, u32, i32, f32, bool, (string, array,) u64, i64, f64. */
const SCALAR_BYTES: Readonly<Record<number, number>> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  4: 4,
  5: 4,
  6: 4,
  7: 1,
  10: 8,
  11: 8,
  12: 8,
};

const STRINGS_WE_READ: ReadonlySet<string> = new Set(["general.name", "tokenizer.chat_template"]);

/** 64 KiB: the format's own limit on a key. */
const MAX_KEY_BYTES = 65_535;

/** 1 MiB: the longest templates in use have 30 KB. */
const MAX_VALUE_BYTES = 1 << 20;

/** 2^40: more than any model file has bytes, and far below where numbers lose their last digit. */
const MAX_COUNT = 2 ** 40;

/** 256 KiB: a whole header of a small vocabulary, a few reads for a large one. */
const WINDOW_BYTES = 1 << 18;
