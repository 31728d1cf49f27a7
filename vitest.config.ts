// Unit tests lie beside the file they test; whole-product tests lie in tests/ and have their own runner.
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: [
      "{apps,packages,tools}/**/*.test.ts",
      "tests/{attacks,conformance,proofs,unit,vps}/**/*.test.ts",
    ],
    globalSetup: ["tests/unit/temporary-dir.ts", "tests/unit/native-programs.ts"],
    // Vitest leaves a core free. Many tests wait for a process, a sign-in or a clock, so one more file than cores runs.
    maxWorkers: availableParallelism() + 1,
    testTimeout: 30_000,
    // How busy a machine is says nothing about what is right.
    expect: { poll: { timeout: 15_000 } },
  },
});
