/**
 * Opens one state of the page, played by the fake console.
 *
 * @module
 */
import type { Browser } from "playwright-core";
import { openWatched, type Watched } from "./browser.ts";
import { installBridge, type FakeConsole, type Script } from "./fake-console.ts";
import { soon } from "./scenes.ts";

export interface Scene {
  readonly name: string;
  readonly script: Script;
  /** The page's fragment. */
  readonly at?: string;
  /** A text or a label that is there when the state is; empty where nothing is to come. */
  readonly sees: string | RegExp;
}

export async function openScene(
  browser: Browser,
  served: FakeConsole,
  { script, at = "", sees }: Omit<Scene, "name">,
  act: (page: Watched["page"]) => Promise<void> = async () => undefined,
): Promise<Watched> {
  const watched = await openWatched(browser);
  const { page } = watched;
  await page.addInitScript(installBridge, soon(script));
  await page.goto(served.origin + at);
  await act(page);
  const seen = sees === "" ? page.locator("#root") : page.getByText(sees).or(page.getByLabel(sees));
  await seen.first().waitFor({ state: "attached" });
  return watched;
}
