import fc from "fast-check";
import { expect, test } from "vitest";
import { noBlocks, splitBlocks } from "./split-blocks.ts";

test("paragraphs are blocks of their own", () => {
  expect(splitBlocks("one\n\ntwo\n\nthree").blocks).toEqual(["one\n\n", "two\n\n", "three"]);
});

test("a fence is one block, whatever stands in it", () => {
  const fence = "```ts\na\n\nb\n~~~\n\nc\n```\n";
  expect(splitBlocks(`${fence}\nafter`).blocks).toEqual([`${fence}\n`, "after"]);
});

test("a fence inside a longer fence does not end it", () => {
  const fence = "````md\n```\n\nx\n```\n\n````\n";
  expect(splitBlocks(fence).blocks).toEqual([fence]);
});

test("a list with blank lines between its items stays one block", () => {
  expect(splitBlocks("1. a\n\n2. b\n\n   more of b\n\nafter").blocks).toEqual([
    "1. a\n\n2. b\n\n   more of b\n\n",
    "after",
  ]);
});

test("the blocks are the text, and cutting while it grows ends where cutting at once does", () => {
  const piece = fc.constantFrom(
    "a",
    "\n",
    "\n\n",
    "```",
    "- x\n",
    "1. y\n",
    "  z",
    "~~~\n",
    "| a |\n",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      let text = "";
      let grown = noBlocks;
      for (const part of pieces) {
        text += part;
        grown = splitBlocks(text, grown);
      }
      expect(grown.blocks.join("")).toBe(text);
      expect(grown.blocks).toEqual(splitBlocks(text).blocks);
    }),
  );
});

test("settled blocks keep their identity while the text grows", () => {
  const before = splitBlocks("one\n\ntwo\n\nthree");
  const after = splitBlocks("one\n\ntwo\n\nthree and more", before);
  expect(after.blocks[0]).toBe(before.blocks[0]);
});
