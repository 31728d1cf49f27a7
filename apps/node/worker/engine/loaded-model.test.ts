import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

import { threadCandidates } from "./calibrate-threads.ts";
import { Engine } from "./engine.ts";
import { ADDON_VERSION, loadLlamaAddon } from "./llama-addon.ts";
import { testModel } from "./test-model.ts";

let scratchDir: string;
let whole: Buffer;
beforeAll(async () => {
  scratchDir = mkdtempSync(join(tmpdir(), "phantoma-engine-"));
  whole = readFileSync(await testModel("tiny"));
});
afterAll(() => rmSync(scratchDir, { recursive: true }));

test.each<[string, (model: Buffer) => Buffer]>([
  ["is empty", () => Buffer.alloc(0)],
  ["is something else", (model) => Buffer.concat([Buffer.from("GGUX"), model.subarray(4)])],
  ["ends in its header", (model) => model.subarray(0, 300)],
  ["ends in its weights", (model) => model.subarray(0, model.length - 4096)],
  ["is of an unknown version", (model) => withU32(model, 4, 99)],
  ["claims 2^61 keys", (model) => withU32(model, 20, 1 << 29)],
  ["claims 2^61 tensors", (model) => withU32(model, 12, 1 << 29)],
  ["has weights beyond its end", (model) => withU32(model, offsetOfFirstTensor(model) + 4, 1)],
  [
    "has weights beyond the address space",
    (model) => withU32(model, offsetOfFirstTensor(model) + 4, 2 ** 32 - 1),
  ],
])("a file that %s is refused", async (_, damage) => {
  const modelPath = join(scratchDir, "damaged.gguf");
  writeFileSync(modelPath, damage(whole));
  await expect(load(modelPath)).rejects.toMatchObject({ code: "ERR_MODEL_UNUSABLE" });
});

test("a file that is not there is refused", async () => {
  await expect(load(join(scratchDir, "nothing"))).rejects.toMatchObject({
    code: "ERR_MODEL_UNUSABLE",
  });
});

test("one core stays free when threads are measured", () => {
  expect([1, 2, 3, 4, 8, 12].map((cores) => threadCandidates(cores))).toEqual([
    [1],
    [1],
    [1, 2],
    [1, 2, 3],
    [1, 2, 4, 7],
    [1, 2, 4, 8, 11],
  ]);
});

test("measuring threads leaves the engine ready", async () => {
  const engine = await load(await testModel("tiny"), "calibrate");
  expect([1, 2, 3]).toContain(engine.threads);
  const stop = new AbortController();
  const { reusedTokens } = await engine.answer(
    [{ role: "user", text: "a" }],
    { maxTokens: 2 },
    () => {},
    stop.signal,
  );
  expect(reusedTokens).toBe(0);
  await engine.dispose();
});

test("the installed llama.cpp is the version this code was written for", () => {
  const manifest = JSON.parse(
    readFileSync(join(import.meta.dirname, "../../package.json"), "utf8"),
  );
  const dependencies = Object.entries({
    ...manifest.dependencies,
    ...manifest.optionalDependencies,
  });
  const versions = dependencies
    .filter(([name]) => name.includes("node-llama-cpp"))
    .map(([, version]) => version);
  expect([...new Set(versions)]).toEqual([ADDON_VERSION]);
});

test("the addon has what this engine calls", async () => {
  const addon = await loadLlamaAddon();
  const methods = (made: { prototype: object }) => Object.getOwnPropertyNames(made.prototype);
  expect(methods(addon.AddonModel)).toEqual(
    expect.arrayContaining([
      "init",
      "dispose",
      "tokenize",
      "detokenize",
      "getTrainContextSize",
      "getModelSize",
      "tokenBos",
      "tokenEos",
      "getTokenString",
      "getTokenAttributes",
      "isEogToken",
      "shouldPrependBosToken",
      "shouldAppendEosToken",
    ]),
  );
  expect(methods(addon.AddonContext)).toEqual(
    expect.arrayContaining([
      "init",
      "dispose",
      "getThreads",
      "setThreads",
      "initBatch",
      "addToBatch",
      "decodeBatch",
      "sampleToken",
      "getEmbedding",
      "disposeSequence",
      "removeTokenCellsFromSequence",
    ]),
  );
  expect(methods(addon.AddonSampler)).toEqual(expect.arrayContaining(["applyConfig", "dispose"]));
  expect([typeof addon.AddonGrammar, typeof addon.AddonGrammarEvaluationState]).toEqual([
    "function",
    "function",
  ]);
  expect(methods(addon.AddonJinjaRenderer)).toEqual(expect.arrayContaining(["render"]));
});

test("a process that answers prints nothing, writes nothing and starts nothing", async () => {
  const dir = mkdtempSync(join(scratchDir, "quiet-"));
  const script = `
    import childProcess from "node:child_process";
    import { syncBuiltinESMExports } from "node:module";
    for (const name of ["spawn", "fork", "exec", "execFile", "spawnSync"]) childProcess[name] = () => process.exit(3);
    syncBuiltinESMExports();
    const { Engine } = await import(${JSON.stringify(join(import.meta.dirname, "engine.ts"))});
    const modelPath = ${JSON.stringify(await testModel("tiny"))};
    const engine = await Engine.load({ modelPath, contextTokens: 256, threads: 1, cores: 2 });
    const never = new AbortController().signal;
    await engine.answer([{ role: "user", text: "canary" }], {}, () => {}, never);
    await engine.answer([{ role: "user", text: "x".repeat(999) }], {}, () => {}, never).catch(() => {});
    await engine.dispose();
    if (process.getActiveResourcesInfo().length > 0) process.exit(4);
  `;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--input-type=module", "--eval", script],
    {
      cwd: dir,
      env: { TMPDIR: dir, HOME: dir },
      encoding: "utf8",
    },
  );
  expect({ status, stdout, stderr, files: readdirSync(dir) }).toEqual({
    status: 0,
    stdout: "",
    stderr: "",
    files: [],
  });
});

function load(modelPath: string, threads: number | "calibrate" = 1): Promise<Engine> {
  return Engine.load({ modelPath, contextTokens: 256, threads, cores: 4 });
}

function withU32(model: Buffer, offset: number, value: number): Buffer {
  const changed = Buffer.from(model);
  changed.writeUInt32LE(value, offset);
  return changed;
}

/** Its name, u32 dimensions, u64 for each of two, u32 type, then the u64 that says where it is. */
function offsetOfFirstTensor(model: Buffer): number {
  const name = "token_embd.weight";
  return model.indexOf(name) + name.length + 4 + 2 * 8 + 4;
}
