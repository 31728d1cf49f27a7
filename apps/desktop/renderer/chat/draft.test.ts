import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DRAFT_PAUSE_MS, keepDraft } from "./draft.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a draft is kept once typing pauses", () => {
  const keep = vi.fn();
  const draft = keepDraft(keep, "");
  draft.change("a");
  draft.change("ab");
  expect(keep).not.toHaveBeenCalled();
  vi.advanceTimersByTime(DRAFT_PAUSE_MS);
  expect(keep.mock.calls).toEqual([["ab"]]);
});

test("leaving the page keeps it at once, and only once", () => {
  const keep = vi.fn();
  const draft = keepDraft(keep, "");
  draft.change("a");
  draft.flush();
  draft.flush();
  vi.advanceTimersByTime(DRAFT_PAUSE_MS);
  expect(keep.mock.calls).toEqual([["a"]]);
});

test("text that is what was kept before is not kept again", () => {
  const keep = vi.fn();
  const draft = keepDraft(keep, "same");
  draft.change("same");
  vi.advanceTimersByTime(DRAFT_PAUSE_MS);
  expect(keep).not.toHaveBeenCalled();
});
