/**
 * Looks at a state in light and dark: checks it with axe and, with PICTURES=1, keeps a picture.
 *
 * @module
 */
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { expect } from "vitest";

const picturesDir = fileURLToPath(new URL("../../../.cache/e2e", import.meta.url));
/** For people only: no test reads them, and to draw them takes as long as to check. */
const hasPictures = process.env.PICTURES === "1";
if (hasPictures) mkdirSync(picturesDir, { recursive: true });

/** Dark changes colours and nothing else, so only those are checked again there. */
const darkRules = ["color-contrast"];

/** No window is so narrow that a page is wider than it: what is too wide scrolls or breaks inside. */
const isTooWide = (page: Page) =>
  page.evaluate(() =>
    [...document.querySelectorAll(".page, .messages, body")].some(
      (one) => one.scrollWidth > one.clientWidth,
    ),
  );

/** @param without rules that do not apply, with the reason where they are named */
export async function look(page: Page, name: string, without: string[] = []): Promise<void> {
  // What is in a frame would have to be checked there.
  expect(page.frames()).toHaveLength(1);
  expect.soft(await isTooWide(page), `${name} is wider than its window`).toBe(false);
  await page.evaluate(axe.source);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    if (hasPictures) await page.screenshot({ path: `${picturesDir}/${name}-${colorScheme}.png` });
    const only = colorScheme === "dark" ? darkRules : undefined;
    const found = await page.evaluate(violations, { without, only });
    expect.soft(found.map((one) => `${name} ${colorScheme} ${one}`)).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
}

/** Runs in the page. */
async function violations({ without, only }: { without: string[]; only: string[] | undefined }) {
  const inPage = (window as unknown as { axe: typeof axe }).axe;
  const found = await inPage.run(document, {
    rules: Object.fromEntries(without.map((rule) => [rule, { enabled: false }])),
    ...(only && { runOnly: { type: "rule", values: only } }),
    resultTypes: ["violations"],
  });
  return found.violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ")}`,
  );
}
