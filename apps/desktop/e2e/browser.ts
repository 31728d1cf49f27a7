/**
 * Debian's Chromium with everything watched that must not happen.
 *
 * @module
 */
import type { Browser, BrowserContext, Page } from "playwright-core";

export { launchBrowser } from "./launch-browser.ts";

export interface Watched {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Violations of the policy, errors in the console, requests that left this machine. */
  readonly faults: string[];
}

/** A loaded machine of two cores needs seconds for what a person sees at once. */
const WAIT_MS = 15_000;

const VIEW = { width: 1180, height: 760 };

export async function openWatched(browser: Browser): Promise<Watched> {
  const context = await browser.newContext({ viewport: VIEW, reducedMotion: "reduce" });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const faults: string[] = [];
  await context.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => {
      // oxlint-disable-next-line no-console -- this is how it reaches the test
      console.error(`policy: ${event.effectiveDirective} refused ${event.blockedURI}`);
    });
  });
  context.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning")
      faults.push(`console: ${message.text()}`);
  });
  context.on("weberror", (error) => faults.push(`exception: ${error.error().message}`));
  context.on("request", (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (protocol.startsWith("http") && hostname !== "127.0.0.1")
      faults.push(`request: ${request.url()}`);
  });
  context.setDefaultTimeout(WAIT_MS);
  return { context, page: await context.newPage(), faults };
}
