/**
 * What was found, a line per ending.
 *
 * @module
 */
import type { Outcome } from "./task.ts";

const HEAD = ["grade", "ending", "hits before", "words", "hits after", "words", "s", "overwritten"];

export class Table {
  readonly #lines: string[][] = [HEAD];

  add(grade: string, ending: string, outcome: Outcome): void {
    const { before, distinctBefore, left, distinctLeft, zeroAfterMs, dumpMs, receipt } = outcome;
    const bytes = receipt?.cell?.wipedBytes;
    this.#lines.push([
      grade,
      ending,
      String(before),
      String(distinctBefore),
      String(left),
      String(distinctLeft),
      `${(zeroAfterMs / 1000).toFixed(1)} + ${(dumpMs / 1000).toFixed(1)}`,
      bytes === undefined ? "not reported" : `${(Number(bytes) / 1e6).toFixed(0)} MB`,
    ]);
  }

  get text(): string {
    const widths = HEAD.map((_, column) =>
      Math.max(...this.#lines.map((line) => line[column]!.length)),
    );
    const lines = this.#lines.map((line) =>
      line.map((cell, column) => cell.padEnd(widths[column]!)).join("  "),
    );
    return `${lines.join("\n")}\n(s: from the end to the dump, and what the dump took while the guest stood still)`;
  }
}
