// npm run e2e: the production page in Chromium. One file after the other: two cores are one browser.
import { defineConfig } from "vitest/config";

// oxlint-disable-next-line import/no-default-export -- Vitest looks for it
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ["**/*.e2e.ts"],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 15_000 } },
    globalSetup: ["./build-page.ts"],
  },
});
