/**
 * Cuts Markdown into top-level blocks, so that a growing answer is parsed one block at a time:
 * only the last block can still change, all before it keep their text and their rendering.
 *
 * It only has to find places where a cut is safe, not to understand Markdown. Where it is unsure it
 * does not cut.
 *
 * @module
 */

export interface Blocks {
  /** Joined, they are the text. */
  readonly blocks: readonly string[];
  readonly text: string;
}

export const noBlocks: Blocks = { blocks: [], text: "" };

/** Cuts `text`; where it continues what was cut before, only the last two blocks are read again. */
export function splitBlocks(text: string, before: Blocks = noBlocks): Blocks {
  if (text === before.text) return before;
  const settled = text.startsWith(before.text) ? before.blocks.slice(0, -REREAD_BLOCKS) : [];
  const start = settled.reduce((sum, block) => sum + block.length, 0);
  return { blocks: [...settled, ...cut(text.slice(start))], text };
}

/** The last block can grow, and the one before it can turn out to be the same list. */
const REREAD_BLOCKS = 2;

function cut(text: string): string[] {
  const blocks: string[] = [];
  let start = 0;
  let fence: string | undefined;
  let isAfterBlank = false;
  for (let at = 0; at < text.length;) {
    const newline = text.indexOf("\n", at);
    const end = newline === -1 ? text.length : newline + 1;
    const line = text.slice(at, end);
    const isBlank = line.trim() === "";
    if (fence === undefined) {
      if (isAfterBlank && !isBlank && !continues(line, text, start)) {
        blocks.push(text.slice(start, at));
        start = at;
      }
      fence = FENCE.exec(line)?.[1];
    } else if (closes(line, fence)) {
      fence = undefined;
    }
    isAfterBlank = isBlank;
    at = end;
  }
  if (start < text.length) blocks.push(text.slice(start));
  return blocks;
}

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const LIST_ITEM = /^ {0,3}(?:[-+*]|\d{1,9}[.)])(?:\s|$)/;

/** An indented line belongs to what stands above it, and a list goes on over a blank line. */
function continues(line: string, text: string, start: number): boolean {
  if (/^(?: {2,}|\t)/.test(line)) return true;
  return LIST_ITEM.test(line) && LIST_ITEM.test(text.slice(start, start + 16));
}

function closes(line: string, fence: string): boolean {
  const found = FENCE.exec(line)?.[1];
  return found !== undefined && found.startsWith(fence) && line.trim() === found;
}
