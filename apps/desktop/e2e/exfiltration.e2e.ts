/**
 * Answers that try to carry data out of the desktop. Three layers stop them, and each pair of the
 * three is enough: hits are counted at a server of our own, because the browser also reports
 * requests that were refused.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parts } from "../vite.config.ts";
import { launchBrowser, openWatched } from "./browser.ts";
import { exfiltrationCorpus } from "./exfiltration-corpus.ts";
import { installBridge, serveFakeConsole } from "./fake-console.ts";
import * as scene from "./scenes.ts";

const softDir = fileURLToPath(new URL("../../../.cache/e2e-soft-page", import.meta.url));
const softMarkdown = fileURLToPath(new URL("./soft-markdown.tsx", import.meta.url));

let browser: Browser;
let sink: Server;
let sinkOrigin: string;
let hits: string[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
  sink = createServer((request, response) => {
    hits.push(request.url ?? "");
    response.writeHead(200, { "access-control-allow-origin": "*" }).end();
  });
  await new Promise<void>((resolve) => sink.listen(0, "127.0.0.1", resolve));
  sinkOrigin = `http://127.0.0.1:${(sink.address() as AddressInfo).port}`;
  await buildSoftPage();
});
afterAll(async () => {
  await browser.close();
  sink.closeAllConnections();
  sink.close();
});

/** The same page with a Markdown view that turns everything an answer holds into elements. */
async function buildSoftPage(): Promise<void> {
  const page = parts.renderer;
  await build({
    ...page,
    logLevel: "error",
    plugins: [
      ...(page.plugins ?? []),
      {
        name: "soft-markdown",
        enforce: "pre",
        resolveId: (source) =>
          source.endsWith("markdown/markdown.tsx") ? softMarkdown : undefined,
      },
    ],
    build: { ...page.build, outDir: softDir },
  });
}

interface Layers {
  readonly hasPolicy: boolean;
  readonly hasRequestBlock: boolean;
  readonly hasHardenedMarkdown: boolean;
}

/** Shows every payload as an answer and says which reached the sink. */
async function hitsWith({
  hasPolicy,
  hasRequestBlock,
  hasHardenedMarkdown,
}: Layers): Promise<string[]> {
  hits = [];
  // Taken from the server itself: a page that a test has rewritten may not reach 127.0.0.1 at all.
  const served = await serveFakeConsole(hasHardenedMarkdown ? undefined : softDir, hasPolicy);
  const { context, page } = await openWatched(browser);
  // As the desktop's main process does: whatever is not the page's own is refused.
  if (hasRequestBlock)
    await context.route("**/*", (route) =>
      route.request().url().startsWith(served.origin) ? route.continue() : route.abort(),
    );
  const isBare = !hasPolicy && !hasRequestBlock && !hasHardenedMarkdown;
  // What leads the whole page elsewhere would hide what the others do.
  const corpus = exfiltrationCorpus(sinkOrigin).filter(
    (text) => !isBare || !/http-equiv|<base/.test(text),
  );
  const idOf = (at: number) => at.toString(16).padStart(16, "0");
  const messages = corpus.map((text, at) =>
    scene.message("0", null, "assistant", text, {
      id: idOf(at),
      parent: at === 0 ? null : idOf(at - 1),
    }),
  );
  await page.addInitScript(installBridge, {
    state: scene.state,
    status: scene.status,
    conversations: [scene.conversation(messages)],
  });
  await page.goto(`${served.origin}#/chat/1111111111111111`);
  const answers = page.getByRole("article", { name: "Answer" });
  await answers.last().waitFor();
  for (let more = 0; more < 4; more++) {
    if ((await answers.count()) === messages.length) break;
    const earlier = page.getByRole("button", { name: /Show \d+ earlier/ });
    // The page also shows them by itself, maybe just now.
    await earlier.click({ timeout: 500 }).catch(() => undefined);
    await page.waitForTimeout(150);
  }
  if (!isBare) expect(await answers.count()).toBe(messages.length);
  await page.waitForTimeout(1_000);
  await context.close();
  served.close();
  return hits;
}

const all: Layers = { hasPolicy: true, hasRequestBlock: true, hasHardenedMarkdown: true };

test("with all three layers nothing reaches the sink", async () => {
  expect(await hitsWith(all)).toEqual([]);
});

test("nor without the content security policy", async () => {
  expect(await hitsWith({ ...all, hasPolicy: false })).toEqual([]);
});

test("nor without the request block", async () => {
  expect(await hitsWith({ ...all, hasRequestBlock: false })).toEqual([]);
});

test("nor without the hardened Markdown", async () => {
  expect(await hitsWith({ ...all, hasHardenedMarkdown: false })).toEqual([]);
});

test("the hardened Markdown alone is enough", async () => {
  const alone = { hasPolicy: false, hasRequestBlock: false, hasHardenedMarkdown: true };
  expect(await hitsWith(alone)).toEqual([]);
});

test("the policy alone keeps images and scripts of an answer from loading", async () => {
  const alone = { hasPolicy: true, hasRequestBlock: false, hasHardenedMarkdown: false };
  expect(await hitsWith(alone)).toEqual([]);
});

test("without any layer the sink is hit, so the corpus is worth its name", async () => {
  const none = { hasPolicy: false, hasRequestBlock: false, hasHardenedMarkdown: false };
  const reached = new Set(await hitsWith(none));
  expect(reached.size).toBeGreaterThan(5);
});
