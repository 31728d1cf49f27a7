/** What is written for others can be read by them, under the strictest umask a unit may have. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { deviceListDocument, NO_PREVIOUS } from "@phantoma/crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DeviceListFolder, GENESIS_FILE, listPath } from "../devices/device-list-folder.ts";
import { PushedModels } from "../keeper/pushed-models.ts";
import { addModel, storeModel } from "../models/model-store.ts";
import { writeProgress } from "../orders/progress.ts";
import { entry, TestNode } from "../test-node.ts";
import { writePublicFile } from "./public-file.ts";

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
