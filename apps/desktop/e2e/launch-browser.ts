/**
 * Debian's Chromium, for tests and proofs.
 *
 * @module
 */
import { chromium, type Browser } from "playwright-core";

export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox"],
  });
