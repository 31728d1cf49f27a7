import { expect, test } from "vitest";
import type { Message } from "../../ipc/contract.ts";
import { newestEnd, shownBranch, withMessage } from "./message-tree.ts";

const message = (id: string, parent: string | null, role: Message["role"]): Message => ({
  id,
  parent,
  role,
  text: id,
  state: "complete",
  metrics: null,
  createdAt: 0,
  errorCode: null,
  finishReason: null,
});

/** q1 ─ a1 ─ q2 ─ a2, a2b; q2 edited as q2b ─ a3. */
const tree = [
  message("q1", null, "user"),
  message("a1", "q1", "assistant"),
  message("q2", "a1", "user"),
  message("a2", "q2", "assistant"),
  message("a2b", "q2", "assistant"),
  message("q2b", "a1", "user"),
  message("a3", "q2b", "assistant"),
];

test("the branch that ends at the head is shown, from the first message on", () => {
  expect(shownBranch(tree, "a2").map(({ message }) => message.id)).toEqual([
    "q1",
    "a1",
    "q2",
    "a2",
  ]);
});

test("an edited question and an answer given twice count as branches", () => {
  const shown = shownBranch(tree, "a2b");
  expect(shown.map(({ branch, branches }) => `${branch + 1}/${branches.length}`)).toEqual([
    "1/1",
    "1/1",
    "1/2",
    "2/2",
  ]);
});

test("choosing a branch leads to its newest end", () => {
  expect(newestEnd(tree, "q2")).toBe("a2b");
  expect(newestEnd(tree, "q2b")).toBe("a3");
  expect(newestEnd(tree, "a3")).toBe("a3");
});

test("no head, an unknown head and a circle show what there is and end", () => {
  expect(shownBranch(tree, null)).toEqual([]);
  expect(shownBranch(tree, "unknown")).toEqual([]);
  const circle = [message("x", "y", "user"), message("y", "x", "assistant")];
  expect(shownBranch(circle, "x")).toHaveLength(2);
  expect(["x", "y"]).toContain(newestEnd(circle, "x"));
});

test("a changed message leaves the others what they were", () => {
  const changed = withMessage(tree, { ...message("a1", "q1", "assistant"), text: "new" });
  expect(changed[1]?.text).toBe("new");
  expect(changed[0]).toBe(tree[0]);
  expect(withMessage(tree, message("a4", "q2b", "assistant"))).toHaveLength(tree.length + 1);
});
