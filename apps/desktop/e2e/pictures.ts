/**
 * Looks at a state in light and dark: keeps a picture and checks it with axe.
 *
 * @module
 */
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright-core";
import { expect } from "vitest";

const picturesDir = fileURLToPath(new URL("../../../.cache/e2e", import.meta.url));
mkdirSync(picturesDir, { recursive: true });

/** Dark changes colours and nothing else, so only those are checked again there. */
const darkRules = ["color-contrast"];

/** @param without rules that do not apply, with the reason where they are named */
export async function look(page: Page, name: string, without: string[] = []): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.screenshot({ path: `${picturesDir}/${name}-${colorScheme}.png` });
    const axe = new AxeBuilder({ page }).disableRules(without);
    if (colorScheme === "dark") axe.withRules(darkRules);
    const { violations } = await axe.analyze();
    const found = violations.map(
      ({ id, nodes }) =>
        `${name} ${colorScheme} ${id}: ${nodes.map((node) => node.html).join(" | ")}`,
    );
    expect.soft(found).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
}
