/**
 * The Debian mirror that this machine's apt is set to, read when it is needed: no mirror's name is
 * written in this repository.
 *
 * @module
 */
import { globSync, readFileSync } from "node:fs";
import { SUITE } from "./recipe.ts";

/** @throws Error when apt has no source for the suite */
export function aptMirror(files = sourceFiles()): string {
  for (const text of files) {
    const found = mirrorIn(text);
    if (found) return found;
  }
  throw new Error(`apt on this machine has no source for Debian ${SUITE}`);
}

function sourceFiles(): string[] {
  const names = globSync(["/etc/apt/sources.list", "/etc/apt/sources.list.d/*.{list,sources}"]);
  return names.map((name) => readFileSync(name, "utf8"));
}

/** Both of apt's formats: one line per source, or one paragraph of fields. */
function mirrorIn(text: string): string | undefined {
  for (const line of text.split("\n")) {
    const [, uri, suite] = /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)/.exec(line) ?? [];
    if (suite === SUITE) return uri;
  }
  for (const paragraph of text.replaceAll(/^#.*\n/gm, "").split(/\n\s*\n/)) {
    const suites = /^Suites:\s*(.+)$/m.exec(paragraph)?.[1]?.split(/\s+/) ?? [];
    const uris = /^URIs:\s*(\S+)/m.exec(paragraph)?.[1];
    if (uris && suites.includes(SUITE)) return uris;
  }
  return undefined;
}
