/** What is read of a model file before llama.cpp sees it. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readGgufMetadata } from "./gguf-metadata.ts";
import { testModel } from "./test-model.ts";

const demoModel = fileURLToPath(new URL("../../../../models/demo/model.gguf", import.meta.url));

test("the temperature that a file recommends is read, and absent where it says nothing", async () => {
  expect(readGgufMetadata(demoModel).temperature).toBe(0);
  expect(readGgufMetadata(await testModel("tiny")).temperature).toBeUndefined();
});

test("the demo model says what it is", () => {
  expect(readGgufMetadata(demoModel).name).toContain("demo model");
});
