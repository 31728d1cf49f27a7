import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AnswerEvent, ConsoleError } from "../ipc/contract.ts";
import { launchBrowser, openWatched } from "./browser.ts";
import { installBridge, serveFakeConsole, type FakeConsole } from "./fake-console.ts";
import { openScene, type Scene as PlainScene } from "./open-scene.ts";
import { look } from "./pictures.ts";
import * as scene from "./scenes.ts";
import { soon } from "./scenes.ts";

let browser: Browser;
let served: FakeConsole;
beforeAll(async () => {
  browser = await launchBrowser();
  served = await serveFakeConsole();
});
afterAll(async () => {
  await browser.close();
  served.close();
});

const lost: ConsoleError = {
  code: "ERR_CONNECTION_LOST",
  message: "the connection ended",
  action: "what has arrived is kept; connect again",
};
const unreachable: ConsoleError = {
  code: "ERR_UNREACHABLE",
  message: "nothing answers at 127.0.0.1:41807",
  action: "check that the node runs and that its address is right",
};
const full = {
  state: scene.state,
  status: scene.status,
  models: scene.models,
  receipts: [scene.receipt],
};
const chat = (
  change: Parameters<typeof scene.conversation>[1] = {},
  messages = scene.dialogue,
) => ({
  ...full,
  conversations: [scene.conversation([...messages], { worker: scene.liveWorker, ...change })],
});
const question = scene.message("6", "5", "user", "Which one would you choose?");
const pending = scene.message("7", "6", "assistant", "", { state: "streaming", metrics: null });
const started: AnswerEvent = { type: "started", question, answer: pending };
const ending = (change: Parameters<typeof scene.message>[4]) =>
  chat({}, [
    scene.dialogue[0],
    scene.message("2", "1", "assistant", "A log can be rotated without", change),
  ] as never);

interface Scene extends PlainScene {
  /** Asks something, so that the answer's script runs. */
  readonly isAsking?: boolean;
}

const CHAT = "#/chat/1111111111111111";
const scenes: Scene[] = [
  { name: "loading", script: {}, sees: "" },
  {
    name: "failed-start",
    script: { refusals: { "console.state": unreachable } },
    sees: "ERR_UNREACHABLE",
  },
  { name: "welcome", script: { state: scene.withoutNode }, sees: "Start a demo node" },
  {
    name: "starting",
    script: {
      state: { ...scene.withoutNode, demo: { step: "starting", nodeId: null, error: null } },
    },
    sees: "loading the model",
  },
  {
    name: "start-failed",
    script: {
      state: {
        ...scene.withoutNode,
        demo: { step: "failed", nodeId: null, error: { ...lost, code: "ERR_LOCAL_NODE" } },
      },
    },
    sees: "ERR_LOCAL_NODE",
  },
  {
    name: "confirm",
    script: { state: { ...scene.state, nodes: [{ ...scene.node, isConfirmed: false }] } },
    sees: "Is this your node?",
  },
  { name: "chat", script: chat(), at: CHAT, sees: "copytruncate" },
  {
    name: "chat-empty",
    script: chat({ title: "", worker: scene.noWorker }, [] as never),
    at: CHAT,
    sees: "Single answers",
  },
  {
    name: "no-model",
    script: { ...full, conversations: [], models: [] },
    at: "#/new",
    sees: "Add one under Models.",
  },
  { name: "chat-loading", script: full, at: CHAT, sees: "" },
  {
    name: "chat-unknown",
    script: {
      ...full,
      refusals: { "conversations.get": { ...lost, code: "ERR_CONVERSATION_UNKNOWN" } },
    },
    at: CHAT,
    sees: "ERR_CONVERSATION_UNKNOWN",
  },
  {
    name: "waiting",
    script: { ...chat(), answer: [started], staysOpen: true },
    at: CHAT,
    isAsking: true,
    sees: "Waiting for the first word",
  },
  {
    name: "streaming",
    script: {
      ...chat(),
      answer: [started, { type: "delta", text: scene.answerText.slice(0, 520) }],
      staysOpen: true,
    },
    at: CHAT,
    isAsking: true,
    sees: "Stop the answer",
  },
  {
    name: "queued",
    script: { ...chat(), answer: [started, { type: "queued", position: 3 }], staysOpen: true },
    at: CHAT,
    isAsking: true,
    sees: "Place 3",
  },
  {
    name: "retrying",
    script: {
      ...chat(),
      answer: [started, { type: "retrying", error: unreachable, delayMs: 9_000 }],
      staysOpen: true,
    },
    at: CHAT,
    isAsking: true,
    sees: "Trying again in",
  },
  {
    name: "refused",
    script: {
      ...chat(),
      answer: [{ type: "error", error: { ...lost, code: "ERR_BUSY" }, answer: null }],
    },
    at: CHAT,
    isAsking: true,
    sees: "ERR_BUSY",
  },
  {
    name: "cut",
    script: ending({ state: "cut", errorCode: "ERR_CONNECTION_LOST" }),
    at: CHAT,
    sees: "Cut off",
  },
  {
    name: "failed",
    script: ending({ state: "failed", text: "", errorCode: "ERR_MODEL_FAILED" }),
    at: CHAT,
    sees: "ERR_MODEL_FAILED",
  },
  { name: "stopped", script: ending({ state: "stopped" }), at: CHAT, sees: "Stopped." },
  {
    name: "ended",
    script: chat({
      worker: { ...scene.liveWorker, state: "ended", endReason: "idle", idleDeadline: null },
    }),
    at: CHAT,
    sees: "ended: idle",
  },
  {
    name: "offline",
    script: {
      ...chat(),
      state: { ...scene.state, nodes: [{ ...scene.node, state: "offline", error: unreachable }] },
    },
    at: CHAT,
    sees: "does not answer",
  },
  {
    name: "disconnected",
    script: { ...chat(), events: [{ event: "console.connection", isConnected: false }] },
    at: CHAT,
    sees: "The console does not answer",
  },
  { name: "node", script: chat(), at: "#/node", sees: "Workers serving now" },
  { name: "receipts", script: chat(), at: "#/receipts", sees: "signs one" },
  {
    name: "receipts-empty",
    script: { ...chat(), receipts: [] },
    at: "#/receipts",
    sees: "No worker has ended",
  },
  {
    name: "saved",
    script: {
      ...chat(),
      answers: { "saved.list": [scene.saved], "saved.devices": [scene.devices] },
    },
    at: "#/saved",
    sees: "Your other devices",
  },
  { name: "saved-empty", script: chat(), at: "#/saved", sees: "Nothing is saved." },
  { name: "settings", script: chat(), at: "#/settings", sees: "Appearance" },
];

test.each(scenes)("$name looks right, is accessible and loads nothing", async (scene) => {
  const { context, page, faults } = await openScene(browser, served, scene, async (asked) => {
    if (!scene.isAsking) return;
    await asked.getByRole("textbox").fill("Which one would you choose?");
    await asked.keyboard.press("Enter");
  });
  await page.waitForTimeout(400);
  await look(page, scene.name);
  expect(faults).toEqual([]);
  await context.close();
});

test("a list of receipts says what is missing, each witness's part, and where a file was saved", async () => {
  const warden = { attempts: 3, unreported: 1, policy: "ab".repeat(32), isSigned: true };
  const witnessed = { ...scene.receipt, warden };
  const script = {
    ...chat(),
    receipts: [witnessed],
    missing: [{ epoch: 1, from: 4, to: 6 }],
  };
  const { context, page, faults } = await openWatched(browser);
  await page.addInitScript(installBridge, soon(script));
  await page.goto(`${served.origin}#/receipts`);
  await page.getByText("Receipts 4 to 6 are missing").waitFor();
  await page.locator("summary").click();
  await page.getByText("3 refused, 1 not reported; signed by the warden").waitFor();
  await page.getByRole("button", { name: "Save as file" }).click();
  await page.getByText("abababab-1-7.receipt").waitFor();
  await look(page, "receipts-missing");
  expect(faults).toEqual([]);
  await context.close();
});

test("other programs may ask the node while the switch is on, and the page says where", async () => {
  const { context, page, faults } = await openWatched(browser);
  await page.addInitScript(installBridge, soon(chat()));
  await page.goto(`${served.origin}#/node`);
  const group = page.getByRole("radiogroup", { name: "Other programs" });
  expect(await group.getByRole("radio", { name: "Off" }).isChecked()).toBe(true);
  await group.getByRole("radio", { name: "On" }).click();
  const address = page.getByText("http://127.0.0.1:8421/v1", { exact: true });
  await address.waitFor();
  await look(page, "endpoint-on");
  const pasted = () => page.evaluate(() => navigator.clipboard.readText());
  const row = (name: string) => page.locator(".facts > div", { hasText: name });
  await row("Base URL for OpenAI's clients").getByRole("button").click();
  await expect.poll(pasted).toBe("http://127.0.0.1:8421/v1");
  await row("Base URL for Anthropic's clients").getByRole("button").click();
  await expect.poll(pasted).toBe("http://127.0.0.1:8421");
  await page.getByRole("button", { name: "Copy key" }).click();
  // Shown, and for a moment said to a screen reader as well.
  await page.getByText("The key is in the clipboard.").first().waitFor();
  await expect.poll(pasted).toMatch(/^pk-a+$/);
  const key = await pasted();
  expect(await page.content()).not.toContain(key);
  const interfaces = page.getByRole("radiogroup", { name: "Interface" });
  for (const [name, words] of [
    ["OpenAI", ["OPENAI_BASE_URL=http://127.0.0.1:8421/v1", "OPENAI_API_KEY", "from openai"]],
    ["Anthropic", ["ANTHROPIC_BASE_URL=http://127.0.0.1:8421\n", "ANTHROPIC_API_KEY"]],
    ["curl", ["curl http://127.0.0.1:8421/v1/chat/completions", scene.models[0]!.name]],
  ] as const) {
    await interfaces.getByRole("radio", { name }).click();
    const shown = async () => (await page.locator(".code-block code").allTextContents()).join("\n");
    for (const word of words) await expect.poll(shown).toContain(word);
    // A path may have any character, and stays one word of the shell.
    await expect.poll(shown).toContain(String.raw`cat '/home/ada/it'\''s here/keys/default'`);
  }
  await group.getByRole("radio", { name: "Off" }).click();
  await address.waitFor({ state: "detached" });
  expect(faults).toEqual([]);
  await context.close();
});

test("older receipts are a list of their own, and the newest are one step away", async () => {
  const list = (task: string, next: number | null) => ({
    receipts: [{ ...scene.receipt, task: task.repeat(32) }],
    missing: [],
    next,
  });
  const answers = { "receipts.list": [list("aa", 151), list("bb", null), list("aa", 151)] };
  const { context, page, faults } = await openWatched(browser);
  await page.addInitScript(installBridge, soon({ ...chat(), answers }));
  await page.goto(`${served.origin}#/receipts`);
  await page.locator("summary", { hasText: "aaaa" }).waitFor();
  expect(await page.getByRole("button", { name: "Newest receipts" }).count()).toBe(0);
  await page.getByRole("button", { name: "Older receipts" }).click();
  await page.locator("summary", { hasText: "bbbb" }).waitFor();
  expect(await page.getByRole("button", { name: "Older receipts" }).count()).toBe(0);
  await look(page, "receipts-older");
  await page.getByRole("button", { name: "Newest receipts" }).click();
  await page.locator("summary", { hasText: "aaaa" }).waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

test("an open receipt, menu and link question are accessible and loads nothing", async () => {
  const { context, page, faults } = await openWatched(browser);
  await page.addInitScript(installBridge, soon(chat()));
  await page.goto(served.origin + CHAT);
  await page.getByLabel("More about this conversation").click();
  // An open menu stands outside the landmarks, above the page.
  await look(page, "menu", ["region"]);
  await page.getByRole("menuitem", { name: "Receipt" }).click();
  await page.getByText("not measured", { exact: true }).first().waitFor();
  await look(page, "receipt");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "the manual" }).click();
  await look(page, "link");
  expect(faults).toEqual([]);
  await context.close();
});
