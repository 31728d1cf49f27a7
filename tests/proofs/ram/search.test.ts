import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { Canaries, type Word } from "./canaries.ts";
import { encode, searchFile, searchLog, type Form } from "./search.ts";

const dir = mkdtempSync(join(tmpdir(), "phantoma-search-"));
afterAll(() => rmSync(dir, { recursive: true }));

const canaries = new Canaries();
const word: Word = { ending: 7, place: "q", number: 12 };
const spelled = canaries.spell(word);
const PIECE = 8 * 1024 ** 2;
const empty = (size: number) => Buffer.alloc(size);
const forms = ["UTF-8", "UTF-16", "token ids", "V8 ids"] as const satisfies Form[];

/** A dump of random bytes with `bytes` at each of `offsets`. */
function dump(
  size: number,
  bytes: Buffer,
  offsets: readonly number[],
  fill: (size: number) => Buffer = randomBytes,
): string {
  const path = join(dir, "dump");
  const content = fill(size);
  for (const offset of offsets) bytes.copy(content, offset);
  writeFileSync(path, content);
  return path;
}

test.each(forms)("a word is found as %s, and read", async (form) => {
  const bytes = encode(spelled, form);
  const path = dump(100_000, bytes, [0, 5_001, 100_000 - bytes.length]);
  expect(await searchFile(path, canaries.prefix)).toEqual(
    [0, 5_001, 100_000 - bytes.length].map((offset) => ({ form, offset, word })),
  );
});

test.each(forms)("as %s it is found once across every border of two pieces", async (form) => {
  const bytes = encode(spelled, form);
  for (const before of [1, Math.floor(bytes.length / 2), bytes.length - 1, bytes.length]) {
    const path = dump(PIECE + 1_000, bytes, [PIECE - before], empty);
    const hits = await searchFile(path, canaries.prefix);
    expect(hits).toEqual([{ form, offset: PIECE - before, word }]);
  }
});

test("a word at the first byte of a piece is found once", async () => {
  const path = dump(2 * PIECE, encode(spelled, "UTF-8"), [PIECE], empty);
  expect(await searchFile(path, canaries.prefix)).toHaveLength(1);
});

test("pieces of zeros are passed over and nothing after them is", async () => {
  const path = dump(3 * PIECE, encode(spelled, "token ids"), [2 * PIECE + 99], empty);
  expect(await searchFile(path, canaries.prefix)).toHaveLength(1);
});

test("a word whose end is cut off or changed still counts", async () => {
  const cut = encode(spelled, "UTF-8").subarray(0, -1);
  const [hit, ...others] = await searchFile(dump(5_000, cut, [77]), canaries.prefix);
  expect(hit).toEqual({ form: "UTF-8", offset: 77, word: undefined });
  expect(others).toEqual([]);
});

test("words of another run are none of ours", async () => {
  const other = new Canaries().spell(word);
  const path = dump(50_000, Buffer.from(other), [500]);
  expect(await searchFile(path, canaries.prefix)).toEqual([]);
});

test.each(forms)("a stranger's own words are found in any script, as %s", async (form) => {
  const own = new Canaries("Grüße aus Łódź");
  const path = dump(9_000, encode(own.spell(word), form), [123]);
  expect(await searchFile(path, own.prefix)).toEqual([{ form, offset: 123, word }]);
});

test("a log is searched the same way, and so are the bytes that its kernel printed", () => {
  expect(searchLog(`before ${spelled} after`, canaries.prefix)).toEqual([
    { form: "UTF-8", offset: 7, word },
  ]);
  const code = Array.from(Buffer.from(`..${spelled}`), (byte) => byte.toString(16));
  code[9] = `<${code[9]}>`;
  const said = `node[7]: segfault at 0 ip 0\nCode: ${code.join(" ")}\n`;
  expect(searchLog(said, canaries.prefix)).toEqual([{ form: "UTF-8", offset: 2, word }]);
  expect(searchLog("before and after\nCode: 00 <0f> 0b", canaries.prefix)).toEqual([]);
});
