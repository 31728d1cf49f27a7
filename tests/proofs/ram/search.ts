/**
 * Searches dumps for the words of `canaries.ts`, in the forms in which our programs hold a text.
 *
 *   UTF-8       1 byte a character: buffers, and V8's strings of Latin letters
 *   UTF-16      2 bytes: V8's other strings
 *   token ids   4 bytes a token, as llama.cpp has them; a token of the echo model is a byte of UTF-8
 *   V8 ids      8 bytes a token: the same in an array of JavaScript, whose small integers lie in the upper half
 *
 *   hex         two digits a byte, in a log's "Code:", where the kernel prints what lies around a fault
 *
 * Not found is a word that is cut, by the border of two pages that do not lie side by side for one, or in another
 * form: the tokens of a model with longer ones, a parsed grammar, base64, what a compressor or cipher made of it, and
 * what only follows from it: KV cache, vectors, probabilities. Of those proof:wipe speaks, which counts bytes.
 *
 * @module
 */
import { open } from "node:fs/promises";
import { readTag, TAG_LENGTH, type Word } from "./canaries.ts";

/** Bytes from one character to the next. */
const strides = { "UTF-8": 1, "UTF-16": 2, "token ids": 4, "V8 ids": 8 } as const;

export type Form = keyof typeof strides;

export interface Hit {
  readonly form: Form;
  /** Bytes from the beginning of the file. */
  readonly offset: number;
  /** `undefined` where only its beginning is there. */
  readonly word: Word | undefined;
}

interface Needle {
  readonly form: Form;
  readonly stride: number;
  /** Ends with the last character's own byte. */
  readonly bytes: Buffer;
  readonly characters: number;
}

/** Read at once, in bytes; pieces overlap by what the longest word takes. */
const PIECE_BYTES = 8 * 1024 ** 2;
const zeros = Buffer.alloc(PIECE_BYTES);

/** All that is found in a file. */
export async function searchFile(path: string, prefix: string): Promise<Hit[]> {
  const needles = needlesOf(prefix);
  const overlap = Math.max(
    ...needles.map(({ stride, characters }) => stride * (characters + TAG_LENGTH)),
  );
  await using file = await open(path, "r");
  const piece = Buffer.alloc(PIECE_BYTES + overlap);
  const hits: Hit[] = [];
  for (let at = 0; ; at += PIECE_BYTES) {
    const { bytesRead } = await file.read(piece, 0, piece.length, at);
    if (bytesRead === 0) return hits;
    const begins = Math.min(bytesRead, PIECE_BYTES);
    // Most of a disk, and at grade A most of RAM.
    if (piece.compare(zeros, 0, begins, 0, begins) === 0) continue;
    for (const hit of searchPiece(piece.subarray(0, bytesRead), begins, needles))
      hits.push({ ...hit, offset: at + hit.offset });
  }
}

/** The same in what a log says, and in the bytes that its kernel printed of a program. */
export function searchLog(text: string, prefix: string): Hit[] {
  const codes = [...text.matchAll(/Code: ([0-9a-f <>()]+)/g)].map(([, code = ""]) =>
    Buffer.from(code.replaceAll(/[^0-9a-f]/g, ""), "hex"),
  );
  return [Buffer.from(text, "utf8"), ...codes].flatMap((bytes) => [
    ...searchPiece(bytes, bytes.length, needlesOf(prefix)),
  ]);
}

/** @param begins where the next piece begins: what begins there is found there */
function* searchPiece(piece: Buffer, begins: number, needles: readonly Needle[]): Iterable<Hit> {
  for (const needle of needles) {
    let at = piece.indexOf(needle.bytes);
    while (at >= 0 && at < begins) {
      yield { form: needle.form, offset: at, word: wordAt(piece, at, needle) };
      at = piece.indexOf(needle.bytes, at + 1);
    }
  }
}

function wordAt(piece: Buffer, at: number, { stride, characters }: Needle): Word | undefined {
  const tag = Array.from(
    { length: TAG_LENGTH },
    (_, index) => piece[at + (characters + index) * stride] ?? 0,
  );
  return readTag(String.fromCharCode(...tag));
}

function needlesOf(prefix: string): Needle[] {
  return (Object.keys(strides) as Form[]).map((form) => {
    const stride = strides[form];
    const bytes = encode(prefix, form);
    return { form, stride, bytes, characters: Math.ceil(bytes.length / stride) };
  });
}

/** As it lies in memory, from the first character's byte to the last one's. */
export function encode(text: string, form: Form): Buffer {
  if (form === "UTF-16") return Buffer.from(text, "utf16le");
  const characters = Buffer.from(text, "utf8");
  const stride = strides[form];
  const spread = Buffer.alloc((characters.length - 1) * stride + 1);
  for (const [index, byte] of characters.entries()) spread[index * stride] = byte;
  return spread;
}
