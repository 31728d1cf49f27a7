/**
 * What a table of parameters says, tried row by row. Not part of the product.
 *
 * @module
 */
import { expect, test } from "vitest";
import type { ParameterTable } from "./parameters.ts";

export function describeTable(table: ParameterTable, parse: (more: object) => unknown): void {
  for (const [name, row] of Object.entries(table)) {
    const example = { [name]: row.example };
    if ("taken" in row) {
      test(`${name} is taken`, () => void parse({ ...row.beside, ...example }));
      continue;
    }
    test(`${name} is refused by its name`, () => {
      expect(() => parse(example)).toThrow(
        expect.objectContaining({
          status: 400,
          param: name,
          code: expect.stringMatching(/^unsupported_(parameter|value)$/),
          message: expect.stringContaining(`'${name}'`),
        }),
      );
    });
    test(`${name} may be null, which says nothing`, () => void parse({ [name]: null }));
    if (!("only" in row)) continue;
    for (const value of row.only)
      test(`${name} may be ${JSON.stringify(value)}`, () => void parse({ [name]: value }));
  }
}
