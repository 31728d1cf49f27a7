import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser, openWatched, type Watched } from "./browser.ts";
import { focused, tabTo } from "./by-keyboard.ts";
import { startConsole, type ConsoleUnderTest } from "./console-under-test.ts";

let browser: Browser;
let phantoma: ConsoleUnderTest;
let watched: Watched;
let page: Page;

beforeAll(async () => {
  browser = await launchBrowser();
  phantoma = await startConsole();
  watched = await openWatched(browser);
  page = watched.page;
});
afterAll(async () => {
  await browser.close();
  await phantoma.close();
});

test("pairing, asking, stopping, branching, ending and reading the receipt need no mouse", async () => {
  await page.goto(phantoma.link);
  await page.getByRole("button", { name: "Start a demo node here" }).waitFor();
  await tabTo(page, "Start a demo node here");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Is this your node?" }).waitFor({ timeout: 45_000 });
  await page.keyboard.press("Tab");
  await tabTo(page, "Yes, this is my node");
  await page.keyboard.press("Enter");

  // The field has the focus without being asked.
  await page.getByRole("textbox", { name: "Your message" }).waitFor();
  await expect.poll(async () => (await focused(page)).name).toBe("Your message");
  await page.keyboard.type("a question by keyboard");
  await page.keyboard.press("Enter");
  const answer = page.getByRole("article", { name: "Answer" });
  await answer.getByText("by keyboard").first().waitFor();
  await tabTo(page, "Stop the answer");
  await page.keyboard.press("Enter");
  await page.getByText("Stopped.").waitFor();
  await page.getByRole("button", { name: "Stop the answer" }).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Answer again" }).waitFor();

  await tabTo(page, "Answer again", "Shift+Tab");
  await page.keyboard.press("Enter");
  await answer.getByText("2/2").waitFor({ state: "attached" });
  await page.getByRole("button", { name: "Stop the answer" }).waitFor({ state: "detached" });
  await tabTo(page, "Previous branch", "Shift+Tab");
  await page.keyboard.press("Enter");
  await answer.getByText("1/2").waitFor();

  await tabTo(page, "Edit", "Shift+Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("textbox", { name: "Edit your message" }).waitFor();
  await page.keyboard.press("Escape");

  await tabTo(page, "More about this conversation");
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "Rename" }).waitFor();
  // Saving comes first in the menu.
  await page.keyboard.press("ArrowDown");
  await expect.poll(async () => (await focused(page)).name).toBe("Rename");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Rename" }).waitFor();
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type("Named by keyboard");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Named by keyboard" }).waitFor();

  await tabTo(page, "End now");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Receipt" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByText("ended by you").waitFor();
});

test("the first Tab offers to skip to the content", async () => {
  await page.getByRole("link", { name: "Settings", exact: true }).click();
  await page.reload();
  await page.getByRole("heading", { name: "Settings" }).waitFor();
  await page.keyboard.press("Tab");
  expect((await focused(page)).name).toBe("Skip to the content");
  await page.keyboard.press("Enter");
  expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("MAIN");
  await page.goBack();
});

test("the messages are a log that is silent, and one status region speaks", async () => {
  expect(await page.getByRole("log").getAttribute("aria-live")).toBe("off");
  await page.getByRole("textbox", { name: "Your message" }).fill("say something");
  await page.keyboard.press("Enter");
  await expect.poll(() => page.getByRole("log").getAttribute("aria-busy")).toBe("true");
  await page.getByRole("status").getByText("The answer has begun.").waitFor({ state: "attached" });
  await page
    .getByRole("status")
    .getByText("The answer is complete.")
    .waitFor({ state: "attached" });
  expect(await page.getByRole("log").getAttribute("aria-busy")).toBe("false");
});

test("nothing broke the policy, nothing left this machine, nothing was reported", () => {
  expect(watched.faults).toEqual([]);
});
