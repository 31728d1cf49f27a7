import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser, openWatched, type Watched } from "./browser.ts";
import { startConsole, type ConsoleUnderTest } from "./console-under-test.ts";
import { look } from "./pictures.ts";

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

const saved = () => page.getByRole("list", { name: "Saved", exact: true });
const button = (name: string) => page.getByRole("button", { name, exact: true });

test("a conversation is saved because a person chose it", async () => {
  await page.goto(phantoma.link);
  await button("Start a demo node here").click();
  await button("Yes, this is my node").click({ timeout: 45_000 });
  await page.getByRole("textbox", { name: "Your message" }).fill("A question to keep");
  await button("Send").click();
  await page.getByRole("article", { name: "Answer" }).waitFor({ timeout: 30_000 });
  await button("Stop the answer").waitFor({ state: "detached", timeout: 30_000 });
  await page.getByRole("link", { name: "Saved", exact: true }).click();
  await page.getByText("Nothing is saved.").waitFor();
  await page.goBack();
  await button("More about this conversation").click();
  await page.getByRole("menuitem", { name: "Save" }).click();
  await page.getByText("Saved as it is now.").first().waitFor();
  await page.getByRole("region", { name: "Saved" }).getByText("A question to keep").waitFor();
});

test("it is found by its words and by no others", async () => {
  await page.getByRole("link", { name: "Saved", exact: true }).click();
  await saved().getByText("A question to keep").waitFor();
  const search = page.getByRole("searchbox", { name: "Search saved conversations" });
  await search.fill("parrot");
  await page.getByText("Nothing saved has all of these words.").waitFor();
  await search.fill("QUEST keep");
  await saved().getByText("A question to keep").waitFor();
  await search.fill("");
  await look(page, "saved");
});

test("a sync keeps it at the node, and says how much room is left", async () => {
  await button("Sync with the node").click();
  await page.getByText(/0 came, 1 sent; 0\.0 % of the room/).waitFor();
  await page.getByText("Kept at the node too, sealed.").waitFor();
});

test("an export says where it is, and that it is not sealed", async () => {
  await button("Export as Markdown").click();
  await page.getByText("Written to this file, which is not sealed:").waitFor();
  await page.getByText(/exports\/[0-9a-f]{16}\.md/).waitFor();
});

test("what was exported is imported again", async () => {
  await button("Export all").click();
  const path = await page.getByText(/exports\/conversations\.json/).textContent();
  await page.getByLabel("Import a file").setInputFiles(path!);
  await page.getByText("1 conversation came.").first().waitFor();
});

test("removed from the console, it is taken up again from what was saved", async () => {
  await page.getByRole("link", { name: "A question to keep" }).click();
  await button("More about this conversation").click();
  await page.getByRole("menuitem", { name: "Remove" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await page.getByRole("link", { name: "A question to keep" }).waitFor({ state: "detached" });
  await page.getByRole("region", { name: "Saved" }).getByText("A question to keep").click();
  await page
    .getByRole("article", { name: "Answer" })
    .getByText("question to keep")
    .first()
    .waitFor();
});

test("deleting says in words what happens to its key, and what is not reached", async () => {
  await page.getByRole("link", { name: "Saved", exact: true }).click();
  await button("Delete").click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText(/Its key is overwritten on this machine now/).waitFor();
  await dialog.getByText(/A backup, an export, or a copy .* is not reached/).waitFor();
  await look(page, "saved-delete");
  await dialog.getByRole("button", { name: "Delete" }).click();
  await page.getByText("Nothing is saved.").waitFor();
});

test("nothing broke the page's policy", () => {
  expect(watched.faults).toEqual([]);
});
