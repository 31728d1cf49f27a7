/** A recovery kit in two real consoles: made in the page of one, and all that was saved restored in the page of another. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser, openWatched, type Watched } from "./browser.ts";
import { startConsole, type ConsoleUnderTest } from "./console-under-test.ts";
import { look } from "./pictures.ts";

const PASSPHRASE = "nine brown horses walk";
const QUESTION = "A question to bring back";

let browser: Browser;
let desk: ConsoleUnderTest;
let laptop: ConsoleUnderTest;
let ours: Watched;
let theirs: Watched;
let kitPath: string;

beforeAll(async () => {
  browser = await launchBrowser();
  [desk, laptop] = [await startConsole(), await startConsole()];
  [ours, theirs] = [await openWatched(browser), await openWatched(browser)];
});
afterAll(async () => {
  await browser.close();
  await Promise.all([desk.close(), laptop.close()]);
});

const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
async function ask(page: Page, text: string): Promise<void> {
  await page.getByRole("textbox", { name: "Your message" }).fill(text);
  await button(page, "Send").click();
  await page.getByRole("article", { name: "Answer" }).last().waitFor({ timeout: 60_000 });
  await button(page, "Stop the answer").waitFor({ state: "detached", timeout: 60_000 });
}

test("a conversation is kept at the node, and the kit that is made then opens it", async () => {
  const { page } = ours;
  await page.goto(desk.link);
  await button(page, "Start a demo node here").click();
  await button(page, "Yes, this is my node").click({ timeout: 90_000 });
  await ask(page, QUESTION);
  await button(page, "More about this conversation").click();
  await page.getByRole("menuitem", { name: "Save" }).click();
  await page.getByText("Saved as it is now.").first().waitFor();
  await page.getByRole("link", { name: "Saved", exact: true }).click();
  await button(page, "Sync with the node").click();
  await page.getByText(/0 came, 1 sent/).waitFor();
  await page.getByRole("link", { name: "Devices" }).click();
  await page.getByLabel("Passphrase of the kit").first().fill(PASSPHRASE);
  await button(page, "Make a kit").click();
  await page.getByText("The kit is made.").waitFor({ timeout: 30_000 });
  await page.getByText("It opens the conversations that are saved at this node, too.").waitFor();
  kitPath = await page.getByText(/\.kit$/).innerText();
});

test("another passphrase opens nothing, and the page says so", async () => {
  const { page } = theirs;
  await page.goto(laptop.link);
  await button(page, "Restore from a recovery kit").click();
  await page.getByLabel("The kit's file").setInputFiles(kitPath);
  await page.getByLabel("Passphrase of the kit").fill("nine brown horses ran");
  await button(page, "Open the kit").click();
  await page.getByText("This passphrase does not open it.").waitFor({ timeout: 30_000 });
  await look(page, "restore-wrong");
});

test("with the right one this console is an admin, and the lost one is out", async () => {
  const { page } = theirs;
  await page.getByLabel("Passphrase of the kit").fill(PASSPHRASE);
  await button(page, "Open the kit").click();
  await page.getByLabel("this machine").check({ timeout: 30_000 });
  await page.getByLabel("What this device is called").fill("new laptop");
  await look(page, "restore-lost");
  await button(page, "Take this device in and revoke 1").click();
  await page.getByText("Device list 3").waitFor({ timeout: 60_000 });
  await page.getByText("new laptop", { exact: true }).waitFor();
  await look(page, "restored");
});

test("what was saved is here, and a new question is answered", async () => {
  const { page } = theirs;
  await page.getByRole("link", { name: "Saved", exact: true }).click();
  const list = page.getByRole("list", { name: "Saved", exact: true });
  await list.getByText(QUESTION).waitFor();
  await page.getByRole("link", { name: "New conversation" }).first().click();
  await ask(page, "A question of the new machine");
  expect(await page.getByRole("article", { name: "Answer" }).last().innerText()).not.toBe("");
});

test("nothing broke either page's policy", () => {
  expect([...ours.faults, ...theirs.faults]).toEqual([]);
});
