// Unit tests lie beside the file they test; whole-product tests lie in tests/ and have their own runner.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: [
      "{apps,packages,tools}/**/*.test.ts",
      "tests/{attacks,conformance,proofs,unit,vps}/**/*.test.ts",
    ],
    globalSetup: ["tests/unit/temporary-dir.ts"],
    testTimeout: 30_000,
    // How busy a machine is says nothing about what is right.
    expect: { poll: { timeout: 15_000 } },
  },
});
