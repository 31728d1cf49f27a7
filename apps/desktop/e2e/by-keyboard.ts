/**
 * A page used without a mouse: where the focus is, and the way to what is named.
 *
 * @module
 */
import type { Page } from "playwright-core";
import { expect } from "vitest";

/** What has the focus, as a screen reader would name it, and whether a person can see that. */
export const focused = (page: Page) =>
  page.evaluate(() => {
    const element = document.activeElement as HTMLElement | null;
    // A heading that was given the focus, so that it is read aloud, is no stop of Tab.
    const isStop = element && element !== document.body && !/^H\d$/.test(element.tagName);
    if (!isStop) return { name: "", isSeen: false };
    const label =
      element instanceof HTMLInputElement ? element.labels?.[0]?.textContent : undefined;
    const name = element.getAttribute("aria-label") ?? label ?? element.textContent ?? "";
    const box = element.closest(".composer-box") ?? element;
    const { outlineStyle, outlineWidth } = getComputedStyle(box);
    return { name: name.trim(), isSeen: outlineStyle !== "none" && outlineWidth !== "0px" };
  });

/** Presses Tab until the named thing has the focus; every stop on the way must be visible. */
export async function tabTo(page: Page, name: string | RegExp, key = "Tab"): Promise<void> {
  for (let step = 0; step < 60; step++) {
    const { name: at, isSeen } = await focused(page);
    if (at !== "") expect({ at, isSeen }).toEqual({ at, isSeen: true });
    if (typeof name === "string" ? at === name : name.test(at)) return;
    await page.keyboard.press(key);
  }
  throw new Error(`the keyboard does not reach ${name}`);
}
