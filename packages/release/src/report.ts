/**
 * What a person reads: who signed, how many were needed, what was checked, and what it comes to.
 *
 * @module
 */
import type { ReleaseError } from "./release-error.ts";
import type { ReleaseReport } from "./verify-release.ts";

/** The width of the first column. */
const NAME_WIDTH = 11;

export function reportText({ record, kind, checks }: ReleaseReport): string {
  const warning =
    kind === "development" ? "\nDEVELOPMENT: throw-away keys, for nobody but its maker" : "";
  return `${rows(checks)}\n${record.name} is release ${record.version}${warning}\n`;
}

export function refusalText(error: ReleaseError): string {
  const refused = { name: "REFUSED", detail: `${error.message} (${error.code})` };
  return `${rows([...error.passed, refused])}\nwhat to do: ${error.action}\n`;
}

function rows(checks: readonly { readonly name: string; readonly detail: string }[]): string {
  return checks.map(({ name, detail }) => `${name.padEnd(NAME_WIDTH)}${detail}\n`).join("");
}
