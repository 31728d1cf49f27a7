/** The devices page, pairing on both sides, recovery and the lock, as a person sees them. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ConsoleError, DevicesView, LockView } from "../ipc/contract.ts";
import { launchBrowser } from "./browser.ts";
import { startConsole } from "./console-under-test.ts";
import { serveFakeConsole, type FakeConsole, type Script } from "./fake-console.ts";
import { openScene } from "./open-scene.ts";
import { look } from "./pictures.ts";
import * as scene from "./scenes.ts";
import { qrRows } from "../../../packages/client/src/devices/qr.ts";

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

const ADDED_AT = Date.UTC(2026, 10, 20, 9, 0, 0);
const digits = scene.node.fingerprint.digits;
const device = {
  addedAt: ADDED_AT,
  revokedAt: null,
  isThis: false,
  isKit: false,
  fingerprint: digits,
};
const list: DevicesView = {
  version: 6,
  devices: [
    {
      ...device,
      id: "1".repeat(64),
      name: "Ada's desk",
      role: "admin",
      isThis: true,
      seenHour: ADDED_AT,
    },
    { ...device, id: "2".repeat(64), name: "Laptop", role: "chat", seenHour: null },
    {
      ...device,
      id: "3".repeat(64),
      name: "Old phone",
      role: "chat",
      revokedAt: ADDED_AT + 9e7,
      seenHour: null,
    },
    {
      ...device,
      id: "4".repeat(64),
      name: "Recovery kit 2026-11-20 09:00:00",
      role: "admin",
      isKit: true,
      seenHour: null,
    },
  ],
};
const text = `phantoma-invite:${"AbCd0123_-".repeat(85)}`;
const code = { text, rows: qrRows(text), expiresAt: Date.UTC(2026, 10, 30, 12, 10, 0) };
const words = ["coral", "cherry", "jungle", "island", "falcon", "apron"];
const twelve = scene.node.fingerprint.words;
const script: Script = {
  state: scene.state,
  conversations: [],
  status: scene.status,
  models: scene.models,
  answers: {
    "devices.list": [list],
    "devices.invite": [code],
    "devices.look": [{ name: "Ada's phone", words }],
    "devices.add": [list],
    "devices.compare": [{ digits, words: [...twelve, ...twelve] }],
    "recovery.make": [
      {
        path: "/home/ada/.config/phantoma/console-web/kits/aa-1.kit",
        words: twelve,
        opensSaved: true,
      },
    ],
    "window.get": [scene.noWindow],
    "lock.get": [{ isLocked: false, opensWith: "passphrase", idleMinutes: 15 } satisfies LockView],
  },
};

test("the list shows roles, this device, the kit and what was revoked", async () => {
  const at = { script, at: "#/devices", sees: "Device list 6" };
  const { context, page, faults } = await openScene(browser, served, at);
  await page.setViewportSize({ width: 1180, height: 1200 });
  await look(page, "devices");
  const shown = await page.locator(".devices").innerText();
  for (const said of ["this device", "on no machine", "revoked", "not seen since the node started"])
    expect(shown).toContain(said);
  expect(faults).toEqual([]);
  await context.close();
});

test("adding a device shows picture and text, then six words, then asks for a person's word", async () => {
  const at = { script, at: "#/devices", sees: "Device list 6" };
  const { context, page, faults } = await openScene(browser, served, at);
  await page.setViewportSize({ width: 1180, height: 1500 });
  await page.getByRole("button", { name: "Add a device" }).click();
  await page.getByRole("img", { name: "The code as a QR picture" }).waitFor();
  await look(page, "devices-invite");
  await page.getByLabel("Then paste the code that the new device shows:").fill("phantoma-device:x");
  await page.getByRole("button", { name: "Look at the code" }).click();
  await page.getByText("coral").waitFor();
  await look(page, "devices-words");
  await page.getByRole("button", { name: "Yes, the same six words" }).click();
  await page.getByRole("button", { name: "Add a device" }).waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

test("revoking asks once more, and says what it does", async () => {
  const at = { script, at: "#/devices", sees: "Device list 6" };
  const { context, page, faults } = await openScene(browser, served, at);
  await page.getByRole("button", { name: "What to do with Laptop" }).click();
  await page.getByRole("menuitem", { name: "Revoke" }).click();
  await page.getByText("Its sessions end within a second").waitFor();
  await look(page, "devices-revoke");
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "What to do with Laptop" }).click();
  await page.getByRole("menuitem", { name: "Compare safety number" }).click();
  await page.getByText("walnut").first().waitFor();
  await look(page, "devices-compare");
  expect(faults).toEqual([]);
  await context.close();
});

test("a kit's words are shown once, with where the file lies", async () => {
  const at = { script, at: "#/devices", sees: "Device list 6" };
  const { context, page, faults } = await openScene(browser, served, at);
  await page.setViewportSize({ width: 1180, height: 1300 });
  await page.getByRole("button", { name: "Make one with words to print" }).click();
  await page.getByText("Write it on paper now").waitFor();
  await look(page, "devices-kit");
  expect(faults).toEqual([]);
  await context.close();
});

test("a kit that is checked and opens no conversations says so, and one that opens them does not", async () => {
  const check = { madeAt: ADDED_AT, standing: "good" };
  const saysNone = "It opens no saved conversations.";
  for (const opensSaved of [false, true]) {
    const answers = { ...script.answers, "recovery.check": [{ ...check, opensSaved }] };
    const at = { script: { ...script, answers }, at: "#/devices", sees: "Device list 6" };
    const { context, page, faults } = await openScene(browser, served, at);
    await page.setViewportSize({ width: 1180, height: 1400 });
    await page.getByText("Check a kit").click();
    const file = {
      name: "home.kit",
      mimeType: "application/octet-stream",
      buffer: Buffer.alloc(9),
    };
    await page.getByLabel("The kit's file").setInputFiles(file);
    await page.getByLabel("Passphrase of the kit").last().fill("nine brown horses walk");
    await page.getByRole("button", { name: "Check it" }).click();
    const status = page
      .getByRole("status")
      .filter({ hasText: "the node would take its signature" });
    await status.waitFor();
    expect((await status.innerText()).includes(saysNone)).toBe(!opensSaved);
    await look(page, `devices-kit-check-${opensSaved ? "saved" : "none"}`);
    expect(faults).toEqual([]);
    await context.close();
  }
});

const lockedError: ConsoleError = {
  code: "ERR_LOCKED",
  message: "the console is locked",
  action: "unlock the console",
};

test("a locked console shows how it is opened and nothing else", async () => {
  const locked: LockView = { isLocked: true, opensWith: "passphrase", idleMinutes: 15 };
  const refusals = { "console.state": lockedError };
  const at = { script: { refusals, answers: { "lock.get": [locked] } }, sees: "Locked" };
  const { context, page, faults } = await openScene(browser, served, at);
  await page.getByLabel("Passphrase").waitFor();
  await look(page, "locked");
  expect(await page.getByRole("navigation").count()).toBe(0);
  expect(faults).toEqual([]);
  await context.close();
});

test("the settings name what opens the lock, also where nothing does", async () => {
  const nothing: LockView = { isLocked: false, opensWith: "nothing", idleMinutes: null };
  const answers = { ...script.answers, "lock.get": [nothing] };
  const at = {
    script: { ...script, answers },
    at: "#/settings",
    sees: "a lock would only pretend",
  };
  const { context, page, faults } = await openScene(browser, served, at);
  await page.setViewportSize({ width: 1180, height: 1100 });
  await look(page, "lock-settings");
  expect(await page.getByRole("button", { name: "Lock now" }).count()).toBe(0);
  expect(faults).toEqual([]);
  await context.close();
});

test("two real consoles pair by the codes that they show, and one locks itself away", async () => {
  const [desk, phone] = [await startConsole(), await startConsole()];
  const context = await browser.newContext({ viewport: { width: 1180, height: 1400 } });
  try {
    const [ours, theirs] = [await context.newPage(), await (await browser.newContext()).newPage()];
    await ours.goto(desk.link);
    await ours.getByRole("button", { name: "Start a demo node here" }).click();
    await ours.getByRole("button", { name: "Yes, this is my node" }).click({ timeout: 90_000 });
    await ours.getByRole("link", { name: "Devices" }).click();
    await ours.getByRole("button", { name: "Add a device" }).click();
    await ours.getByRole("img", { name: "The code as a QR picture" }).waitFor();
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await ours.getByRole("button", { name: "Copy the code" }).click();
    const invitation = await copiedIn(ours);

    await theirs.goto(phone.link);
    await theirs.getByRole("button", { name: "Join a node by an invitation" }).click();
    await theirs.getByLabel("The invitation").fill(invitation);
    await theirs.getByLabel("What this device is called").fill("phone");
    await theirs.getByRole("button", { name: "Go on" }).click();
    await theirs.getByRole("img", { name: "The code as a QR picture" }).waitFor();
    await look(theirs, "join-words");
    await theirs.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await theirs.getByRole("button", { name: "Copy the code" }).click();
    const answer = await copiedIn(theirs);
    const shown = await theirs.getByRole("list", { name: "Six words" }).innerText();

    await ours.getByLabel("Then paste the code that the new device shows:").fill(answer);
    await ours.getByRole("button", { name: "Look at the code" }).click();
    const seen = await ours.getByRole("list", { name: "Six words" }).innerText();
    expect(seen).toBe(shown);
    await theirs.getByRole("button", { name: "Yes, the same six words" }).click();
    await ours.getByRole("button", { name: "Yes, the same six words" }).click();
    await ours.getByText("phone", { exact: true }).waitFor();
    // A new conversation: the node let it in.
    await theirs.getByRole("textbox").first().waitFor({ timeout: 60_000 });

    await theirs.goto(`${theirs.url().split("#")[0]}#/settings`);
    await theirs.getByLabel("New passphrase").fill("nine brown horses walk");
    await theirs.getByRole("button", { name: "Set the passphrase" }).click();
    await theirs.getByRole("button", { name: "Lock now" }).click();
    await theirs.getByRole("heading", { name: "Locked" }).waitFor();
    expect(await theirs.locator("body").innerText()).not.toContain("phone");
    await theirs.getByLabel("Passphrase").fill("nine brown horses ran");
    await theirs.getByRole("button", { name: "Unlock" }).click();
    await theirs.getByText("This passphrase does not open it.").waitFor();
    await theirs.getByLabel("Passphrase").fill("nine brown horses walk");
    await theirs.getByRole("button", { name: "Unlock" }).click();
    await theirs.getByRole("navigation", { name: "Console" }).waitFor();
    await theirs.context().close();
  } finally {
    await context.close();
    await Promise.all([desk.close(), phone.close()]);
  }
}, 240_000);

/** What a button of this page just put into the clipboard; writing there takes a moment. */
async function copiedIn(page: Page): Promise<string> {
  const pasted = () => page.evaluate(() => navigator.clipboard.readText());
  await expect.poll(pasted).not.toBe("");
  return pasted();
}
