/** Pushed models: in order, after a cut, whole or not at all, and never more than a few. */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { readCatalogue, writeCatalogue } from "../models/model-store.ts";
import { temporaryDir } from "../test-node.ts";
import { MAX_PARTS, PushedModels } from "./pushed-models.ts";

const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
const content = Buffer.from("some weights");
const model = { name: "m", digest: sha256(content), bytes: content.length };

let dir: string;
let modelsDir: string;
let pushed: PushedModels;
beforeEach(() => {
  dir = join(temporaryDir(), "incoming");
  modelsDir = temporaryDir();
  writeCatalogue(modelsDir, []);
  pushed = make();
});

function make(): PushedModels {
  const made = new PushedModels(dir, modelsDir);
  onTestFinished(() => made.close());
  return made;
}

const send = (from: number, to = content.length) =>
  pushed.chunk(model.digest, from, content.subarray(from, to));
const parts = () => (existsSync(dir) ? readdirSync(dir) : []);

test("the last piece stores the model under its digest and name, and nothing else stays", async () => {
  expect(await pushed.begin(model)).toBe(0);
  expect(await send(0, 5)).toBe(5);
  expect(readCatalogue(modelsDir)).toEqual([]);
  expect(await send(5)).toBe(content.length);
  expect(readCatalogue(modelsDir)).toEqual([model]);
  expect(readFileSync(join(modelsDir, `${model.digest}.gguf`))).toEqual(content);
  expect(parts()).toEqual([]);
});

test("pieces that are under way together are taken in their order", async () => {
  await pushed.begin(model);
  expect(await Promise.all([send(0, 4), send(4, 8), send(8)])).toEqual([4, 8, content.length]);
});

test("a piece at another place changes nothing and says where the end is", async () => {
  await pushed.begin(model);
  await send(0, 4);
  expect(await send(8)).toBe(4);
  expect(await send(0, 4)).toBe(4);
  expect(await send(4)).toBe(content.length);
});

test("a push goes on after a cut, also in a new process", async () => {
  await pushed.begin(model);
  await send(0, 5);
  expect(await pushed.begin(model)).toBe(5);
  await pushed.close();
  pushed = make();
  expect(await send(5)).toBe("ERR_MODEL_UNKNOWN");
  expect(await pushed.begin(model)).toBe(5);
  expect(await send(5)).toBe(content.length);
});

test("a model that is stored already needs no bytes", async () => {
  await pushed.begin(model);
  await send(0);
  expect(await pushed.begin(model)).toBe(content.length);
  expect(await send(0, 4)).toBe(4);
});

test("other bytes than the digest's are dropped, and so is what they replaced on the disk", async () => {
  await pushed.begin(model);
  expect(await pushed.chunk(model.digest, 0, Buffer.alloc(content.length))).toBe("ERR_DIGEST");
  expect([parts(), readCatalogue(modelsDir)]).toEqual([[], []]);
  await pushed.begin(model);
  await send(0, 5);
  await pushed.close();
  writeFileSync(join(dir, `${model.digest}.part`), "other");
  pushed = make();
  expect(await pushed.begin(model)).toBe(5);
  expect(await send(5)).toBe("ERR_DIGEST");
  expect(parts()).toEqual([]);
});

test("more than was announced is refused, and the rest may still come", async () => {
  await pushed.begin(model);
  const tooMany = Buffer.concat([content, Buffer.of(0)]);
  expect(await pushed.chunk(model.digest, 0, tooMany)).toBe("ERR_MALFORMED");
  expect(await send(0)).toBe(content.length);
});

test("more than the disk holds is refused before a byte comes, and leaves nothing", async () => {
  expect(await pushed.begin({ ...model, bytes: Number.MAX_SAFE_INTEGER })).toBe("ERR_NO_SPACE");
  expect(parts()).toEqual([]);
});

test("as many as the limit are unfinished at once; one that is stale gives way", async () => {
  const other = (number: number) => ({ ...model, digest: sha256(Buffer.of(number)) });
  for (let number = 0; number < MAX_PARTS; number += 1)
    expect(await pushed.begin(other(number))).toBe(0);
  expect(await pushed.begin(model)).toBe("ERR_BUSY");
  const longAgo = new Date(Date.now() - 2 * 3_600_000);
  utimesSync(join(dir, `${other(2).digest}.part`), longAgo, longAgo);
  expect(await pushed.begin(model)).toBe(0);
  expect(existsSync(join(dir, `${other(2).digest}.part`))).toBe(false);
  expect(parts()).toHaveLength(MAX_PARTS);
});

test("a store that cannot take it is an error, and nothing is left", async () => {
  await pushed.begin(model);
  mkdirSync(join(modelsDir, `${model.digest}.gguf`, "in the way"), { recursive: true });
  expect(await send(0)).toBe("ERR_STORAGE");
  expect([parts(), readCatalogue(modelsDir)]).toEqual([[], []]);
});
