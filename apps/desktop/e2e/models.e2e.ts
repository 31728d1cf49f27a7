/** The models page and the open window: every state, and what a person does there. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { NodeView } from "../ipc/contract.ts";
import { launchBrowser } from "./browser.ts";
import { serveFakeConsole, type FakeConsole, type Script } from "./fake-console.ts";
import { openScene, type Scene } from "./open-scene.ts";
import { look } from "./pictures.ts";
import * as scene from "./scenes.ts";

const dir = mkdtempSync(join(tmpdir(), "phantoma-e2e-"));
const modelPath = join(dir, "small-model.gguf");
const MODEL_BYTES = 400_000;

let browser: Browser;
let served: FakeConsole;
beforeAll(async () => {
  writeFileSync(modelPath, Buffer.alloc(MODEL_BYTES, "GGUF"));
  browser = await launchBrowser();
  served = await serveFakeConsole();
});
afterAll(async () => {
  await browser.close();
  served.close();
  rmSync(dir, { recursive: true });
});

const AT = "#/models";
const CHAT = "#/chat/1111111111111111";
const base: Script = {
  state: scene.state,
  conversations: [scene.conversation([...scene.dialogue])],
  status: scene.status,
  models: scene.models,
  answers: { "window.get": [scene.noWindow] },
};
const answering = (answers: Script["answers"], change: Partial<Script> = {}): Script => ({
  ...base,
  ...change,
  answers: { ...base.answers, ...answers },
});
const withNode = (script: Script, change: Partial<NodeView>): Script => ({
  ...script,
  state: { ...scene.state, nodes: [{ ...scene.node, ...change }] },
});
const refusing = (name: string, code: string): Script => ({
  ...base,
  answers: { "window.get": [scene.noWindow], "window.propose": [scene.proposal] },
  refusals: { [name]: { code, message: "as the node said", action: "" } },
});
const ADDRESS = "https://huggingface.co/bartowski/Qwen2.5-0.5B-Instruct-GGUF";

async function lookUp(page: Page): Promise<void> {
  await page.getByLabel("File on Hugging Face").fill(ADDRESS);
  await page.getByRole("button", { name: "Look up" }).click();
}

async function choose(page: Page): Promise<void> {
  const choosing = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Choose a GGUF file" }).click();
  await (await choosing).setFiles(modelPath);
}

interface Acted extends Scene {
  readonly act?: (page: Page) => Promise<void>;
}

const pushing = (push: Script["push"]): Script => ({ ...base, push: push! });

const scenes: Acted[] = [
  { name: "models-loading", script: { state: scene.state, conversations: [] }, at: AT, sees: "" },
  { name: "models-demo", script: base, at: AT, sees: "Add a real model" },
  {
    name: "models-none",
    script: { ...base, models: [] },
    at: AT,
    sees: "The node has no model",
  },
  {
    name: "models-failed",
    script: {
      ...base,
      refusals: { "nodes.status": { code: "ERR_UNREACHABLE", message: "nothing", action: "" } },
    },
    at: AT,
    sees: "ERR_UNREACHABLE",
  },
  {
    name: "models-window-open",
    script: answering({ "window.get": [scene.openWindow] }, { models: scene.realModels }),
    at: AT,
    sees: "198.51.100.81",
  },
  {
    name: "window-on-chat",
    script: answering({ "window.get": [scene.openWindow] }),
    at: CHAT,
    sees: "A maintenance window is open until",
  },
  {
    name: "models-transfers",
    script: answering({ "window.get": [scene.endedWindow] }, { models: scene.realModels }),
    at: AT,
    sees: "ERR_NOT_YET_KNOWN",
  },
  {
    name: "models-chat-device",
    script: withNode(answering({ "window.get": [scene.openWindow] }), { role: "chat" }),
    at: AT,
    sees: "takes an admin's device",
  },
  {
    name: "models-no-policy",
    script: withNode(base, { policy: "none", policyReason: "the console was not started as root" }),
    at: AT,
    sees: "the console was not started as root",
  },
  { name: "models-looking-up", script: base, at: AT, act: lookUp, sees: "Looking the address up" },
  {
    name: "models-look-up-failed",
    script: refusing("window.propose", "ERR_UNREACHABLE"),
    at: AT,
    act: lookUp,
    sees: "ERR_UNREACHABLE",
  },
  {
    name: "models-proposal",
    script: answering({ "window.propose": [scene.proposal] }),
    at: AT,
    act: lookUp,
    sees: "What the window would open",
  },
  {
    name: "models-proposal-private",
    script: answering({ "window.propose": [scene.privateProposal] }),
    at: AT,
    act: lookUp,
    sees: "192.168.0.9 is an address of a local network",
  },
  {
    name: "models-open-refused",
    script: refusing("window.open", "ERR_ORDER_REFUSED"),
    at: AT,
    act: async (page) => {
      await lookUp(page);
      await page.getByRole("button", { name: "Sign and open" }).click();
    },
    sees: "ERR_ORDER_REFUSED",
  },
  {
    name: "models-remove",
    script: base,
    at: AT,
    act: (page) => page.getByRole("button", { name: "Remove demo" }).click(),
    sees: "Remove demo?",
  },
  {
    name: "models-remove-refused",
    script: refusing("models.remove", "ERR_MODEL_IN_USE"),
    at: AT,
    act: async (page) => {
      await page.getByRole("button", { name: "Remove demo" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    },
    sees: "ERR_MODEL_IN_USE",
  },
  {
    name: "models-whole",
    script: answering({ "models.verify": [{ isWhole: true }] }),
    at: AT,
    act: (page) => page.getByRole("button", { name: "Verify demo" }).click(),
    sees: "whole: the file has its SHA-256",
  },
  {
    name: "models-broken",
    script: answering({ "models.verify": [{ isWhole: false }] }),
    at: AT,
    act: (page) => page.getByRole("button", { name: "Verify demo" }).click(),
    sees: "broken: the file does not",
  },
  {
    name: "models-sending",
    script: pushing({ partBytes: 1_000, resumeAt: 100_000 }),
    at: AT,
    act: choose,
    sees: "continued at 100 kB",
  },
  {
    name: "models-storing",
    script: pushing({ partBytes: 200_000, resumeAt: 0, staysOpen: true }),
    at: AT,
    act: choose,
    sees: "The node is storing small-model",
  },
  {
    name: "models-push-failed",
    script: pushing({
      partBytes: 100_000,
      resumeAt: 0,
      failure: {
        at: 200_000,
        error: { code: "ERR_CONNECTION_LOST", message: "the connection ended", action: "" },
      },
    }),
    at: AT,
    act: choose,
    sees: "small-model was not stored",
  },
];

test.each(scenes)("$name looks right, is accessible and loads nothing", async (one) => {
  const { context, page, faults } = await openScene(browser, served, one, one.act);
  await page.waitForTimeout(400);
  await page.setViewportSize({ width: 1180, height: 1500 });
  await look(page, one.name);
  expect(faults).toEqual([]);
  await context.close();
});

test("what is shown before signing is every host, address, file, size, SHA-256 and the deadline", async () => {
  const script = answering({
    "window.propose": [scene.proposal],
    "window.get": [scene.noWindow],
    "window.open": [scene.openWindow],
  });
  const { context, page, faults } = await openScene(
    browser,
    served,
    { script, at: AT, sees: "What the window would open" },
    lookUp,
  );
  const shown = page.getByRole("region", { name: "What the window would open" });
  const text = await shown.innerText();
  for (const { name, address } of scene.proposal.endpoints) {
    expect(text).toContain(name);
    expect(text).toContain(address);
  }
  const [file] = scene.proposal.files;
  expect(text).toContain(file!.digest);
  expect(text).toContain("397,808,192 B");
  expect(text).toContain(`huggingface.co${file!.name}`);
  expect(text).toMatch(/It closes by itself, at \d+:\d\d/);
  // Focus went to what is to be read.
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe(
    "What the window would open",
  );
  await page.getByRole("radio", { name: "30 minutes" }).click();
  await page.getByRole("button", { name: "Sign and open the window" }).click();
  await page.getByText("A maintenance window is open until").waitFor();
  await page.getByText("141 MB of 398 MB").waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

test("an open window counts down on every page and can be closed there", async () => {
  const script = answering({ "window.get": [scene.openWindow, scene.openWindow, scene.noWindow] });
  const { context, page } = await openScene(browser, served, {
    script,
    at: "#/settings",
    sees: "A maintenance window is open until",
  });
  const banner = page.getByRole("region", { name: "Open window" });
  const left = async () => (await banner.innerText()).match(/(\d+:\d\d) left/)?.[1];
  const before = await left();
  await expect.poll(left).not.toBe(before);
  await banner.getByRole("button", { name: "Close now" }).click();
  await page.getByText("The window was closed").first().waitFor();
  await banner.waitFor({ state: "detached" });
  await context.close();
});

test("a device that may only chat can do nothing of an admin, and is told why", async () => {
  const script = withNode(answering({ "window.get": [scene.openWindow] }), { role: "chat" });
  const { context, page } = await openScene(browser, served, { script, at: AT, sees: "Models" });
  await page.getByText("takes an admin's device").waitFor();
  for (const name of ["Close now", "Look up", "Choose a GGUF file", "Remove demo", "Verify demo"])
    for (const button of await page.getByRole("button", { name }).all())
      expect(await button.isDisabled(), name).toBe(true);
  await context.close();
});

test("a file is sent while another page is looked at, cancelled, and sent on", async () => {
  const script = pushing({ partBytes: 5_000, resumeAt: 100_000 });
  const { context, page, faults } = await openScene(
    browser,
    served,
    { script, at: AT, sees: "Computing the SHA-256 of small-model" },
    choose,
  );
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByRole("heading", { name: "Settings" }).waitFor();
  await page.getByRole("link", { name: "Models" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("Cancelled. The node keeps").waitFor();
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByText("continued at 100 kB").waitFor();
  await page.getByText("small-model is on the node.").waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

test("a file that is gone in the middle ends as one that cannot be read", async () => {
  const path = join(dir, "gone.gguf");
  writeFileSync(path, Buffer.alloc(MODEL_BYTES, "GGUF"));
  const { context, page } = await openScene(
    browser,
    served,
    { script: pushing({ partBytes: 5_000, resumeAt: 0 }), at: AT, sees: "Computing the SHA-256" },
    async (at) => {
      const choosing = at.waitForEvent("filechooser");
      await at.getByRole("button", { name: "Choose a GGUF file" }).click();
      await (await choosing).setFiles(path);
    },
  );
  writeFileSync(path, "short");
  await page.getByText("ERR_FILE_UNREADABLE").waitFor();
  await context.close();
});

test("looking up, signing and closing need no mouse", async () => {
  const script = answering({
    "window.propose": [scene.proposal],
    "window.open": [scene.openWindow],
  });
  const { context, page } = await openScene(browser, served, { script, at: AT, sees: "Look up" });
  const focused = () => page.evaluate(() => document.activeElement?.textContent ?? "");
  const tabTo = async (name: string) => {
    for (let step = 0; step < 40; step++) {
      if ((await focused()) === name) return;
      await page.keyboard.press("Tab");
      const isSeen = await page.evaluate(() => {
        const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement!);
        return outlineStyle !== "none" && outlineWidth !== "0px";
      });
      expect(isSeen, await focused()).toBe(true);
    }
    throw new Error(`the keyboard does not reach ${name}`);
  };
  await tabTo("Add a real model");
  await page.keyboard.press("Enter");
  await page.keyboard.type(ADDRESS);
  await page.keyboard.press("Enter");
  await page.getByRole("region", { name: "What the window would open" }).waitFor();
  await expect.poll(focused).toBe("What the window would open");
  await tabTo("Sign and open the window");
  await page.keyboard.press("Enter");
  await page.getByText("A maintenance window is open until").waitFor();
  await context.close();
});
