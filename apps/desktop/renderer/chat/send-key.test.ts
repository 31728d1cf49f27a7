import { expect, test } from "vitest";
import { isSendKey } from "./send-key.ts";

const enter = { key: "Enter", keyCode: 13, isComposing: false, shiftKey: false, altKey: false };

test("Enter sends", () => {
  expect(isSendKey(enter)).toBe(true);
});

test.each([
  ["Shift+Enter", { shiftKey: true }],
  ["Alt+Enter", { altKey: true }],
  ["another key", { key: "a" }],
  ["Enter while an input method composes", { isComposing: true }],
  ["a key that the input method took", { key: "Process" }],
  ["Enter with the input method's key code", { keyCode: 229 }],
])("%s does not send", (_name, change) => {
  expect(isSendKey({ ...enter, ...change })).toBe(false);
});
