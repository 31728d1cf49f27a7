/** What a fetched model is called. */
import { expect, test } from "vitest";
import { modelNameOf } from "./model-name.ts";

test.each([
  ["/owner/repo/resolve/main/small.gguf", "small"],
  ["/owner/repo/resolve/main/Small-Q4_K_M.GGUF", "Small-Q4_K_M"],
  ["/small.gguf?download=true", "small"],
  ["/models/small/", "small"],
  ["/.gguf", ".gguf"],
  ["/", "/"],
])("%s is called %s", (path, name) => {
  expect(modelNameOf(path)).toBe(name);
});
