/** Updates and reports: who signed what waits, what was sent byte for byte, and the switch to send nothing. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Reporting, UpdateView } from "../ipc/contract.ts";
import { launchBrowser } from "./browser.ts";
import { serveFakeConsole, type FakeConsole, type Script } from "./fake-console.ts";
import { openScene, type Scene } from "./open-scene.ts";
import { look } from "./pictures.ts";
import * as scene from "./scenes.ts";

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

const AT = Date.UTC(2026, 10, 20, 9, 0, 0);
const hex = "0701".padEnd(344, "a4");
const reports: Reporting = {
  order: {
    notAfter: AT + 86_400_000,
    places: [{ name: "plane.example", address: "192.0.2.1", port: 443 }],
  },
  sent: [
    {
      at: AT,
      outcome: "answered",
      hex,
      sequence: "1763629200000",
      rootVersion: 1,
      targetsVersion: 4,
      health: "good",
    },
    {
      at: AT - 900_000,
      outcome: "ERR_UNREACHABLE",
      hex: hex.replaceAll("a4", "b5"),
      sequence: "1763628300000",
      rootVersion: 1,
      targetsVersion: 4,
      health: "good",
    },
  ],
  licences: [{ standing: "valid", edition: "team", holder: "Ada", notAfter: AT + 86_400_000 }],
};
const silent: Reporting = { order: null, sent: [], licences: [] };
const waiting = {
  version: "0.2.0",
  sha256: "d".repeat(64),
  bytes: 81_000_000,
  checks: [
    { name: "targets", detail: "Ada, Ben, Cleo signed; 2 of 5 are needed" },
    { name: "fresh", detail: "vouched for until 2026-11-21; nothing seen here was newer" },
    { name: "file", detail: "not here; 81000000 bytes" },
  ],
  refusal: null,
};
const update: UpdateView = {
  version: "0.1.0",
  isAutomatic: false,
  outcome: { version: "0.1.5", error: "ERR_ROLLED_BACK", at: AT },
  waiting,
};
const refused: UpdateView = {
  ...update,
  waiting: {
    ...waiting,
    checks: [],
    refusal: {
      code: "ERR_QUORUM",
      message: "targets has 1 of the 2 signatures that it needs",
      action: "do not install it; ask the maintainers who signed it",
    },
  },
};

const says = (view: UpdateView, reporting: Reporting): Script => ({
  state: scene.state,
  conversations: [],
  status: scene.status,
  models: scene.models,
  answers: {
    "updates.read": [view],
    "reporting.read": [reporting],
    "window.get": [scene.noWindow],
  },
});

const scenes: Scene[] = [
  { name: "updates-waiting", script: says(update, reports), sees: "Release 0.2.0 waits" },
  { name: "updates-refused", script: says(refused, reports), sees: "ERR_QUORUM" },
  {
    name: "updates-silent",
    script: says({ ...update, outcome: null, waiting: null }, silent),
    sees: "The node reports to nobody.",
  },
].map((one) => ({ ...one, at: "#/updates" }));

test.each(scenes)("$name looks right, is accessible and loads nothing", async (one) => {
  const { context, page, faults } = await openScene(browser, served, one);
  await page.setViewportSize({ width: 1180, height: 1500 });
  await look(page, one.name);
  expect(faults).toEqual([]);
  await context.close();
});

test("each heartbeat is there byte for byte", async () => {
  const { context, page } = await openScene(browser, served, scenes[0]!);
  for (const { hex: bytes } of reports.sent)
    await page.getByText(bytes, { exact: true }).waitFor({ state: "visible" });
  await context.close();
});

test("who signed is read before the button that approves", async () => {
  const { context, page } = await openScene(browser, served, scenes[0]!);
  const text = await page.locator("main").innerText();
  expect(text.indexOf("Ada, Ben, Cleo signed")).toBeLessThan(text.indexOf("Approve 0.2.0"));
  await page.getByRole("button", { name: "Approve 0.2.0" }).click();
  await page.getByText("Approved.").waitFor();
  await context.close();
});

test("what is no release has no button that approves it", async () => {
  const { context, page } = await openScene(browser, served, scenes[1]!);
  expect(await page.getByRole("button", { name: /^Approve/ }).count()).toBe(0);
  await context.close();
});

test("the switch sends nothing from then on", async () => {
  const script = says(update, reports);
  const answers = { ...script.answers, "reporting.read": [reports, silent] };
  const { context, page } = await openScene(browser, served, {
    ...scenes[0]!,
    script: { ...script, answers },
  });
  await page.getByRole("button", { name: "Send nothing from now on" }).click();
  await page.getByText("The node sends nothing.").waitFor();
  await context.close();
});
