/** The health page and what receipts say of memory, at every grade: "wiped" at A only. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Doctor, Receipt } from "../ipc/contract.ts";
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

const says = (doctor: Doctor, receipt: Receipt = scene.wipedReceipt): Script => ({
  state: scene.state,
  conversations: [],
  status: scene.status,
  models: scene.models,
  receipts: [receipt],
  answers: { "doctor.read": [doctor], "window.get": [scene.noWindow] },
});
const grades = [scene.doctorA, scene.doctorB, scene.doctorC];
const words = { A: "wiped", B: "overwritten, residue possible", C: "not wiped" } as const;
/** Said without "not" before it. */
const WIPED = /(?<!not )\bwiped\b/i;

const scenes: Scene[] = grades.map((doctor) => ({
  name: `health-${doctor.grade}`,
  script: says(doctor),
  at: "#/health",
  sees: `${doctor.grade}: ${words[doctor.grade]}`,
}));

test.each(scenes)("$name looks right, is accessible and loads nothing", async (one) => {
  const { context, page, faults } = await openScene(browser, served, one);
  await page.setViewportSize({ width: 1180, height: 1300 });
  await look(page, one.name);
  expect(WIPED.test(await page.locator("main").innerText())).toBe(one.name === "health-A");
  expect(faults).toEqual([]);
  await context.close();
});

test("each finding that is not good has a consequence and one step", async () => {
  const { context, page } = await openScene(browser, served, scenes[1]!);
  await page.getByText("Holes that are closed in the newer one stay open until then.").waitFor();
  // Freed memory, swap, kernel, passwords; and the one that raises the grade.
  expect(await page.getByText("What to do: ").count()).toBe(5);
  await context.close();
});

test("what could not be read is called so, and is not good", async () => {
  const { context, page } = await openScene(browser, served, scenes[2]!);
  expect(await page.getByText("could not be read").count()).toBe(8);
  expect(await page.getByText("Look on the node itself.").count()).toBe(8);
  await context.close();
});

test.each([
  ["A", scene.wipedReceipt, /finished; .* overwritten at/],
  ["B", scene.wipedReceipt, /finished; .* overwritten at/],
  ["C", scene.receipt, /not measured/],
  [null, scene.wipedReceipt, /finished; .* overwritten at/],
] as const)(
  "a receipt of grade %s says so, whatever the node's is now, and of memory what was measured",
  async (grade, receipt, said) => {
    const script = says(grade === "A" ? scene.doctorC : scene.doctorA, { ...receipt, grade });
    const watched = await openScene(browser, served, {
      script,
      at: "#/receipts",
      sees: "signs one",
    });
    const { context, page } = watched;
    await page.locator(".receipt summary").click();
    const memory = page.locator(".receipt dl > div").filter({ hasText: /^Memory/ });
    await expect.poll(() => memory.innerText()).toMatch(said);
    expect(await memory.innerText()).not.toMatch(WIPED);
    const then = page.locator(".receipt dl > div").filter({ hasText: /^Wipe grade/ });
    const text = await then.innerText();
    expect(text).toContain(grade === null ? "not recorded" : words[grade]);
    expect(WIPED.test(text)).toBe(grade === "A");
    await context.close();
  },
);
