import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser, openWatched, type Watched } from "./browser.ts";
import { startConsole, type ConsoleUnderTest } from "./console-under-test.ts";
import { look } from "./pictures.ts";

/** What a person is promised between starting the console and the first answer. */
const MAX_CLICKS = 3;
const MAX_START_MS = 60_000;

let browser: Browser;
let phantoma: ConsoleUnderTest;
let watched: Watched;
let page: Page;
let clicks = 0;

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

const click = async (name: string) => {
  clicks += 1;
  await page.getByRole("button", { name, exact: true }).click();
};
const field = () => page.getByRole("textbox", { name: "Your message" });
const answers = () => page.getByRole("article", { name: "Answer" });
const questions = () => page.getByRole("article", { name: "Your message" });
const stopButton = () => page.getByRole("button", { name: "Stop the answer" });
const isDone = () => stopButton().waitFor({ state: "detached", timeout: 30_000 });
const ask = async (text: string) => {
  await field().fill(text);
  await page.keyboard.press("Enter");
};
/** The model repeats the last 96 characters it read until 2,048 tokens, which takes some seconds. */
const LINE = "one two three four five six seven eight nine ten ";
const newConversation = async () => {
  await page.getByRole("link", { name: "New conversation" }).first().click();
  await page.getByRole("radio", { name: "Single answers" }).waitFor();
};
/** Asks in a new conversation and waits until some of the answer is there. */
const askAnew = async (text: string) => {
  await newConversation();
  await ask(text);
  await answers().last().getByText("nine").first().waitFor();
};

test("from the start to the first answer: three clicks, one minute", async () => {
  await page.goto(phantoma.link);
  await click("Start a demo node here");
  await page.getByRole("heading", { name: "Is this your node?" }).waitFor({ timeout: 45_000 });
  await look(page, "real-confirm");
  await click("Yes, this is my node");
  await field().fill("The first question of all");
  await click("Send");
  await answers().getByText("first question").first().waitFor({ timeout: 30_000 });
  const tookMs = performance.now() - phantoma.startedAt;
  await isDone();
  expect(clicks).toBeLessThanOrEqual(MAX_CLICKS);
  expect(tookMs).toBeLessThan(MAX_START_MS);
  await look(page, "real-first-answer");
});

test("an answer keeps its tokens per second and its first-token time", async () => {
  const figures = answers().last().locator(".figures");
  await expect.poll(() => figures.textContent()).toMatch(/tokens.*tokens\/s.*first after/);
});

test("demo mode is marked, and no page says that anything was wiped", async () => {
  for (const place of ["Node", "Health", "Receipts", "Settings"]) {
    await page.getByRole("link", { name: place, exact: true }).click();
    await page.getByRole("heading", { name: place, level: 1 }).waitFor();
    expect(await page.getByRole("button", { name: "Demo mode" }).isVisible()).toBe(true);
    expect((await page.locator("main").textContent())?.toLowerCase()).not.toMatch(/(?<!not )wiped/);
  }
});

test("an answer can be stopped, and says so", async () => {
  await askAnew(LINE);
  await stopButton().click();
  await page.getByText("Stopped.").waitFor();
  await look(page, "real-stopped");
});

test("answering again begins a branch, and the branches can be switched", async () => {
  const count = await answers().count();
  await page.getByRole("button", { name: "Answer again" }).last().click();
  await answers().last().getByText("2/2").waitFor({ state: "attached" });
  await isDone();
  expect(await answers().count()).toBe(count);
  await answers().last().getByRole("button", { name: "Previous branch" }).click();
  await answers().last().getByText("1/2").waitFor();
  await page.getByText("Stopped.").waitFor();
});

test("editing a question begins a branch; the old one stays", async () => {
  await questions().first().getByRole("button", { name: "Edit" }).click();
  await page.getByRole("textbox", { name: "Edit your message" }).fill("The question, edited");
  await page.keyboard.press("Enter");
  await answers().last().getByText("question, edited").first().waitFor();
  await isDone();
  await questions().first().getByText("2/2").waitFor();
  await look(page, "real-branch");
  await questions().first().getByRole("button", { name: "Previous branch" }).click();
  await questions().first().getByText("one two three").waitFor();
  await answers().last().getByText("2/2").waitFor();
  expect(await questions().count()).toBe(1);
});

test("a draft survives a reload", async () => {
  await field().fill("half a thought");
  await page.waitForTimeout(600);
  await page.reload();
  await expect.poll(() => field().inputValue()).toBe("half a thought");
  await field().fill("");
});

test("a reload in the middle of an answer keeps what had arrived", async () => {
  await askAnew(LINE);
  await page.reload();
  await answers().last().getByText("nine").first().waitFor();
  await page.getByText("Stopped.").waitFor();
});

test("Enter that belongs to an input method does not send", async () => {
  const before = await questions().count();
  await field().fill("nihon");
  await field().dispatchEvent("keydown", { key: "Enter", keyCode: 229, bubbles: true });
  await field().dispatchEvent("keydown", { key: "Enter", isComposing: true, bubbles: true });
  await page.waitForTimeout(200);
  expect(await questions().count()).toBe(before);
  await field().fill("");
});

test("the worker is counted down, ends when told to, and leaves a receipt", async () => {
  await askAnew(LINE);
  await stopButton().click();
  await page.getByRole("timer").waitFor();
  await page.getByRole("button", { name: "End now" }).click();
  await page.getByRole("dialog", { name: "Receipt" }).waitFor({ timeout: 15_000 });
  // Without a cell nothing was overwritten, and without a kernel policy nothing was counted.
  const unmeasured = page.getByText("not measured", { exact: true });
  const overwritten = page.getByText(/ overwritten at /);
  const counted = page.getByText(/refused, \d+ not reported; signed by the warden/);
  const counts = async () =>
    (await unmeasured.count()) + (await overwritten.count()) + (await counted.count());
  await expect.poll(counts).toBe(2);
  await page.getByText("this console's own: its connection proved").waitFor();
  await page.getByRole("button", { name: "Save as file" }).click();
  await page.getByText(/receipts\/[0-9a-f]{8}-\d+-\d+\.receipt/).waitFor();
  await look(page, "real-receipt", ["region"]);
  await page.keyboard.press("Escape");
  await page.getByText("ended by you").waitFor();
});

test("a node that dies in the middle of an answer leaves it marked, and the console goes on", async () => {
  await askAnew(LINE);
  phantoma.killGateway();
  await page.getByText(/Cut off/).waitFor({ timeout: 30_000 });
  await look(page, "real-cut");
  expect(await answers().last().textContent()).toContain("nine");
});

test("a demo node is stopped after a question, and another one is started and answers", async () => {
  await page.getByRole("link", { name: "Node", exact: true }).click();
  await page.getByRole("button", { name: "Stop the demo node" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("its conversations are gone").waitFor();
  await look(page, "node-stop");
  await dialog.getByRole("button", { name: "Stop the demo node" }).click();
  await page.getByRole("button", { name: "Start a demo node here" }).click();
  await page.getByRole("button", { name: "Yes, this is my node" }).click({ timeout: 45_000 });
  await ask("Are you there again");
  await answers().last().getByText("there again").first().waitFor({ timeout: 30_000 });
  await isDone();
});

test("an image in a real answer is not loaded", async () => {
  const hits: string[] = [];
  const sink = createServer((request, response) => {
    hits.push(request.url ?? "");
    response.end();
  });
  await new Promise<void>((resolve) => sink.listen(0, "127.0.0.1", resolve));
  const { port } = sink.address() as AddressInfo;
  await newConversation();
  await ask(`![x](http://127.0.0.1:${port}/q) <img src="http://127.0.0.1:${port}/h">`);
  await answers().last().getByText("Image not loaded").first().waitFor();
  await isDone();
  sink.close();
  expect(hits).toEqual([]);
});

test("nothing broke the policy, nothing left this machine, nothing was reported", () => {
  expect(watched.faults).toEqual([]);
});
