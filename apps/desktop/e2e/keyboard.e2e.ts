import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser, openWatched, type Watched } from "./browser.ts";
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

/** What has the focus, as a screen reader would name it, and whether a person can see that. */
const focused = () =>
  page.evaluate(() => {
    const element = document.activeElement as HTMLElement | null;
    if (!element || element === document.body) return { name: "", isSeen: false };
    const name = element.getAttribute("aria-label") ?? element.textContent ?? "";
    const box = element.closest(".composer-box") ?? element;
    const { outlineStyle, outlineWidth } = getComputedStyle(box);
    return { name: name.trim(), isSeen: outlineStyle !== "none" && outlineWidth !== "0px" };
  });

/** Presses Tab until the named thing has the focus; every stop on the way must be visible. */
async function tabTo(name: string | RegExp, key = "Tab"): Promise<void> {
  for (let step = 0; step < 60; step++) {
    const { name: at, isSeen } = await focused();
    if (at !== "") expect({ at, isSeen }).toEqual({ at, isSeen: true });
    if (typeof name === "string" ? at === name : name.test(at)) return;
    await page.keyboard.press(key);
  }
  throw new Error(`the keyboard does not reach ${name}`);
}

test("pairing, asking, stopping, branching, ending and reading the receipt need no mouse", async () => {
  await page.goto(phantoma.link);
  await page.getByRole("button", { name: "Start a demo node here" }).waitFor();
  await tabTo("Start a demo node here");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Is this your node?" }).waitFor({ timeout: 45_000 });
  await page.keyboard.press("Tab");
  await tabTo("Yes, this is my node");
  await page.keyboard.press("Enter");

  // The field has the focus without being asked.
  await page.getByRole("textbox", { name: "Your message" }).waitFor();
  await expect.poll(async () => (await focused()).name).toBe("Your message");
  await page.keyboard.type("a question by keyboard");
  await page.keyboard.press("Enter");
  const answer = page.getByRole("article", { name: "Answer" });
  await answer.getByText("by keyboard").first().waitFor();
  await tabTo("Stop the answer");
  await page.keyboard.press("Enter");
  await page.getByText("Stopped.").waitFor();

  await tabTo("Answer again", "Shift+Tab");
  await page.keyboard.press("Enter");
  await answer.getByText("2/2").waitFor({ state: "attached" });
  await page.getByRole("button", { name: "Stop the answer" }).waitFor({ state: "detached" });
  await tabTo("Previous branch", "Shift+Tab");
  await page.keyboard.press("Enter");
  await answer.getByText("1/2").waitFor();

  await tabTo("Edit", "Shift+Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("textbox", { name: "Edit your message" }).waitFor();
  await page.keyboard.press("Escape");

  await tabTo("More about this conversation");
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "Rename" }).waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Rename" }).waitFor();
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type("Named by keyboard");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Named by keyboard" }).waitFor();

  await tabTo("End now");
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
  expect((await focused()).name).toBe("Skip to the content");
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
