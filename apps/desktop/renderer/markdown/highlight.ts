/**
 * Colours for code, as a tree of spans: no HTML text, no regular expressions from a network, no
 * WebAssembly, so it works under the strictest policy.
 *
 * @module
 */
import type { Root } from "hast";
import bash from "highlight.js/lib/languages/bash";
import c from "highlight.js/lib/languages/c";
import cpp from "highlight.js/lib/languages/cpp";
import css from "highlight.js/lib/languages/css";
import diff from "highlight.js/lib/languages/diff";
import go from "highlight.js/lib/languages/go";
import ini from "highlight.js/lib/languages/ini";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import python from "highlight.js/lib/languages/python";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";
import { createLowlight } from "lowlight";

const lowlight = createLowlight({
  bash, c, cpp, css, diff, go, ini, java, javascript, json, python, rust, sql, typescript, xml, yaml,
}); // prettier-ignore
lowlight.registerAlias({
  bash: ["sh", "shell", "zsh", "console"],
  ini: ["toml"],
  javascript: ["jsx"],
  typescript: ["tsx"],
});

/** Long code stays plain: colouring is one uninterrupted run of the main thread. */
export const MAX_COLOURED_CHARACTERS = 12_000;

/** The coloured tree; undefined where the language is unknown or the code too long. */
export function highlight(code: string, language: string): Root | undefined {
  if (code.length > MAX_COLOURED_CHARACTERS || !lowlight.registered(language)) return undefined;
  return lowlight.highlight(language, code);
}
