// npm run e2e: the production page in Chromium.
import { defineConfig } from "vitest/config";

/** These measure how long a person waits, so nothing else may run then. */
const measuring = ["long-answer.e2e.ts", "egress.e2e.ts", "shadow-gateway.e2e.ts"];

// oxlint-disable-next-line import/no-default-export -- Vitest looks for it
export default defineConfig({
  test: {
    root: import.meta.dirname,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 15_000 } },
    globalSetup: ["./build-page.ts"],
    projects: [
      {
        extends: true,
        test: {
          name: "page",
          include: ["**/*.e2e.ts"],
          exclude: measuring,
          // A real node, a sign-in or a page at rest leaves a core free.
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: "measuring",
          include: measuring,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
