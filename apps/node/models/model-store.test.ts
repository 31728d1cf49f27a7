/** The model store: named by content, listed by name, and whole or not there. */
import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { temporaryDir } from "../test-node.ts";
import { modelPath } from "./model-path.ts";
import {
  addModel,
  isWhole,
  readCatalogue,
  removeModel,
  storeModel,
  writeCatalogue,
} from "./model-store.ts";

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

describe("a file of somebody else's", () => {
  const wanted = { name: "m", digest: sha256("weights"), bytes: 7 };
  const refused = (code: string) => expect.objectContaining({ name: "StoreError", code });

  test("is stored when it is exactly what was signed", async () => {
    await storeModel(dir, source("weights"), wanted);
    expect(readCatalogue(dir)).toEqual([wanted]);
    expect(readdirSync(dir).toSorted()).toEqual([`${wanted.digest}.gguf`, "catalogue.json"]);
  });

  test.each([
    ["a byte longer", "weights!", "ERR_TOO_LONG"],
    ["a byte shorter", "weight", "ERR_TOO_SHORT"],
    ["as long and different", "weightS", "ERR_DIGEST"],
    ["empty", "", "ERR_TOO_SHORT"],
  ])("that is %s is refused and nothing is left", async (_name, content, code) => {
    await expect(storeModel(dir, source(content), wanted)).rejects.toThrow(refused(code));
    expect(readdirSync(dir)).toEqual(["catalogue.json"]);
  });

  test("that is a link, a pipe, a folder or not there is refused and nothing waits for it", async () => {
    const at = (name: string) => join(sourceDir, name);
    symlinkSync(source("weights"), at("link"));
    execFileSync("mkfifo", [at("pipe")]);
    mkdirSync(at("folder"));
    for (const name of ["link", "pipe", "folder", "none"])
      await expect(storeModel(dir, at(name), wanted)).rejects.toThrow(refused("ERR_STORAGE"));
    expect(readdirSync(dir)).toEqual(["catalogue.json"]);
  });
});

test("a stored file is whole until a byte of it changes", async () => {
  const { digest } = await addModel(dir, source("weights"), "m");
  expect(await isWhole(dir, digest)).toBe(true);
  rmSync(join(dir, `${digest}.gguf`));
  writeFileSync(join(dir, `${digest}.gguf`), "weightS");
  expect(await isWhole(dir, digest)).toBe(false);
  expect(await isWhole(dir, sha256("none"))).toBe(false);
});

test("a removed model is neither listed nor there, and others stay", async () => {
  const { digest } = await addModel(dir, source("weights"), "m");
  const other = await addModel(dir, source("other"), "other");
  await removeModel(dir, digest);
  expect(readCatalogue(dir)).toEqual([other]);
  expect(readdirSync(dir).toSorted()).toEqual(
    [`${other.digest}.gguf`, "catalogue.json"].toSorted(),
  );
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
