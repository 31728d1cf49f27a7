/** The model store: named by content, listed by name, and whole or not there. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { temporaryDir } from "../test-node.ts";
import { modelPath } from "./model-path.ts";
import { addModel, readCatalogue, writeCatalogue } from "./model-store.ts";

const sha256 = (content: string) => createHash("sha256").update(content).digest("hex");

let dir: string;
let sourceDir: string;
beforeEach(() => {
  [dir, sourceDir] = [temporaryDir(), temporaryDir()];
  writeCatalogue(dir, []);
});

function source(content: string): string {
  const path = join(sourceDir, "source.gguf");
  writeFileSync(path, content);
  return path;
}

test("a model is stored under the digest of its bytes and listed", async () => {
  const model = await addModel(dir, source("weights"), "small");
  expect(model).toEqual({ name: "small", digest: sha256("weights"), bytes: 7 });
  expect(readCatalogue(dir)).toEqual([model]);
  const path = modelPath(dir, Buffer.from(model.digest, "hex"));
  expect(path).toBe(join(dir, `${model.digest}.gguf`));
  expect(readFileSync(path, "utf8")).toBe("weights");
});

test("the same bytes again are one model, with the newer name", async () => {
  await addModel(dir, source("weights"), "old");
  await addModel(dir, source("other"), "other");
  await addModel(dir, source("weights"), "new");
  expect(readCatalogue(dir).map(({ name }) => name)).toEqual(["other", "new"]);
  expect(readdirSync(dir)).toHaveLength(3);
});

test("an empty file has a digest too", async () => {
  expect(await addModel(dir, source(""), "empty")).toMatchObject({ digest: sha256(""), bytes: 0 });
});

describe("leaves nothing behind", () => {
  test("when there is no such file", async () => {
    await expect(addModel(dir, join(sourceDir, "none"), "x")).rejects.toThrow("ENOENT");
    expect(readdirSync(dir)).toEqual(["catalogue.json"]);
    expect(readCatalogue(dir)).toEqual([]);
  });

  test("when the copy breaks off", async () => {
    mkdirSync(join(sourceDir, "folder"));
    await expect(addModel(dir, join(sourceDir, "folder"), "x")).rejects.toThrow("EISDIR");
    expect(readdirSync(dir)).toEqual(["catalogue.json"]);
  });

  test("when the name is too long for the catalogue, which stays readable", async () => {
    const model = await addModel(dir, source("a"), "n".repeat(255));
    await expect(addModel(dir, source("b"), "n".repeat(256))).rejects.toThrow();
    expect(readCatalogue(dir)).toEqual([model]);
    expect(readdirSync(dir)).toHaveLength(2);
  });
});

test.each([
  ["no JSON", "["],
  ["no list", "{}"],
  ["an unknown field", JSON.stringify([{ name: "", digest: sha256(""), bytes: 0, path: "/" }])],
  ["a digest that is a path", JSON.stringify([{ name: "", digest: "../x", bytes: 0 }])],
])("a catalogue with %s is refused", (_name, text) => {
  writeFileSync(join(dir, "catalogue.json"), text);
  expect(() => readCatalogue(dir)).toThrow();
});
