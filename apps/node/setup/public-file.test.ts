/** What is written for others can be read by them, under the strictest umask a unit may have. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { deviceListDocument, NO_PREVIOUS } from "@phantoma/crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { DeviceListFolder, GENESIS_FILE, listPath } from "../devices/device-list-folder.ts";
import { PushedModels } from "../keeper/pushed-models.ts";
import { addModel, readCatalogue, storeModel, writeCatalogue } from "../models/model-store.ts";
import { writeProgress } from "../orders/progress.ts";
import { entry, temporaryDir, TestNode } from "../test-node.ts";
import { readPublicFile, writePublicFile } from "./public-file.ts";

const setupEntry = fileURLToPath(new URL("main.ts", import.meta.url));

let before: number;
beforeAll(() => void (before = process.umask(0o077)));
afterAll(() => void process.umask(before));

const modeOf = (...path: string[]) => statSync(join(...path)).mode & 0o777;
const weights = Buffer.from("weights");
const digest = createHash("sha256").update(weights).digest("hex");
const model = { name: "m", digest, bytes: weights.length };

test("a file for others is theirs to read", () => {
  const { dir } = new TestNode();
  writePublicFile(join(dir, "one"), "");
  expect(modeOf(dir, "one")).toBe(0o644);
});

test("so are a device list, the catalogue and the fetcher's progress", () => {
  const node = new TestNode();
  new DeviceListFolder(node.devicesDir, node.key).add(node.revoke(node.chat));
  writeProgress(node.dir, 1n, []);
  expect([
    modeOf(listPath(node.devicesDir, 2)),
    modeOf(node.modelsDir, "catalogue.json"),
    modeOf(node.dir, "progress.json"),
  ]).toEqual([0o644, 0o644, 0o644]);
});

test("so is what set-up pins, also when the list was brought as a private file", () => {
  const { dir, admin } = new TestNode();
  const state = join(dir, "state");
  const setup = (...args: string[]) =>
    execFileSync(process.execPath, [setupEntry, ...args, "--state", state]);
  setup("init");
  const key = Buffer.from(readFileSync(join(state, "devices/node.pub"), "ascii"), "hex");
  const signer = admin.signing.publicKey;
  const devices = [entry(admin, "admin")];
  const fields = { node: key, version: 1, previous: NO_PREVIOUS, issuedAt: 1, signer, devices };
  const list = deviceListDocument.sign(fields, admin.signing.privateKey);
  writeFileSync(join(dir, "list"), list, { mode: 0o600 });
  setup("pin-devices", "--list", join(dir, "list"));
  for (const name of ["node.pub", GENESIS_FILE, "00000001.list"])
    expect([name, modeOf(state, "devices", name)]).toEqual([name, 0o644]);
});

test("a model in the store is everybody's to read and nobody's to write, however it came", async () => {
  for (const way of ["added", "fetched", "pushed"]) {
    const { dir, modelsDir } = new TestNode();
    const source = join(dir, "source");
    writeFileSync(source, weights);
    if (way === "added") await addModel(modelsDir, source, "m");
    if (way === "fetched") await storeModel(modelsDir, source, model);
    if (way === "pushed") {
      mkdirSync(join(dir, "incoming"));
      const pushed = new PushedModels(join(dir, "incoming"), modelsDir);
      await pushed.begin(model);
      await pushed.chunk(digest, 0, weights);
    }
    expect([way, modeOf(modelsDir, `${digest}.gguf`)]).toEqual([way, 0o444]);
  }
});

describe("a link that the folder's owner laid", () => {
  let dir: string;
  let victim: string;
  beforeEach(() => {
    dir = temporaryDir();
    victim = join(temporaryDir(), "victim");
    writeFileSync(victim, "root's", { mode: 0o600 });
  });
  afterEach(() => {
    expect(readFileSync(victim, "utf8")).toBe("root's");
    expect(modeOf(victim)).toBe(0o600);
  });

  test("in the place of a file's fresh half is not followed", () => {
    symlinkSync(victim, join(dir, "one.new"));
    writePublicFile(join(dir, "one"), "ours");
    expect(readFileSync(join(dir, "one"), "utf8")).toBe("ours");
  });

  test("in the place of a model's copy is not followed", async () => {
    writeCatalogue(dir, []);
    writeFileSync(join(dir, "source"), weights);
    symlinkSync(victim, join(dir, `incoming-${process.pid}.gguf`));
    symlinkSync(victim, join(dir, `${digest}.gguf`));
    await addModel(dir, join(dir, "source"), "m");
    expect(readFileSync(join(dir, `${digest}.gguf`))).toEqual(weights);
  });

  test("while a model is copied is not followed either", async () => {
    writeCatalogue(dir, []);
    const source = join(dir, "source");
    // A pipe: the copy goes on for as long as nobody has written its end.
    execFileSync("mkfifo", [source]);
    const added = addModel(dir, source, "m");
    const incoming = join(dir, `incoming-${process.pid}.gguf`);
    await expect.poll(() => existsSync(incoming)).toBe(true);
    rmSync(incoming);
    symlinkSync(victim, incoming);
    await writeFile(source, weights);
    await added;
  });

  test("in the place of a key is not followed", () => {
    for (const [folder, name] of [
      ["keeper", "node.key"],
      ["gateway", "tls.key"],
      ["gateway", "tls.crt"],
    ] as const) {
      mkdirSync(join(dir, folder), { recursive: true });
      symlinkSync(victim, join(dir, folder, name));
    }
    execFileSync(process.execPath, [setupEntry, "init", "--state", dir]);
    expect(modeOf(dir, "keeper/node.key")).toBe(0o600);
  });

  test("in the place of the catalogue is not read", () => {
    writeFileSync(victim, "[]");
    symlinkSync(victim, join(dir, "catalogue.json"));
    expect(() => readCatalogue(dir)).toThrow("ELOOP");
    writeFileSync(victim, "root's");
  });
});

test("a file is read up to its limit, and not one byte past it", () => {
  const path = join(temporaryDir(), "file");
  writeFileSync(path, "1234");
  expect(readPublicFile(path, 4).toString()).toBe("1234");
  expect(() => readPublicFile(path, 3)).toThrow("EFBIG");
});

test("a pipe in the place of a file is not waited for, and a link not followed", () => {
  const dir = temporaryDir();
  execFileSync("mkfifo", [join(dir, "pipe")]);
  writeFileSync(join(dir, "file"), "");
  symlinkSync("file", join(dir, "link"));
  expect(() => readPublicFile(join(dir, "pipe"), 4)).toThrow("EINVAL");
  expect(() => readPublicFile(join(dir, "link"), 4)).toThrow("ELOOP");
});
