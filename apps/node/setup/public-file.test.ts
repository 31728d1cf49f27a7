/** What is written for others can be read by them, under the strictest umask a unit may have. */
import { createHash } from "node:crypto";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DeviceListFolder, listPath } from "../devices/device-list-folder.ts";
import { PushedModels } from "../keeper/pushed-models.ts";
import { addModel, storeModel } from "../models/model-store.ts";
import { writeProgress } from "../orders/progress.ts";
import { TestNode } from "../test-node.ts";
import { writePublicFile } from "./public-file.ts";

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
