/**
 * A grammar in the making, in llama.cpp's notation (GBNF): rules by name, each written once.
 *
 * Source: llama.cpp, grammars/README.md.
 *
 * @module
 */

/** What a node takes. PROTOCOL.md, section 5.3. */
export const MAX_GRAMMAR_CHARS = 65_536;

export class Grammar {
  readonly #rules = new Map<string, string>();

  /** Adds a rule under a name that says what it is. @returns the name */
  define(name: string, body: string): string {
    this.#rules.set(name, body);
    return name;
  }

  /** Adds a rule under a name of its own. @returns the name */
  add(body: string): string {
    return this.define(`r${this.#rules.size}`, body);
  }

  has(name: string): boolean {
    return this.#rules.has(name);
  }

  /** @param root the rule that a whole answer is */
  text(root: string): string {
    const rules = [...this.#rules].map(([name, body]) => `${name} ::= ${body}\n`);
    return `root ::= ${root}\n${rules.join("")}`;
  }
}

/** Exactly this text. */
export function literal(text: string): string {
  const escaped = text.replace(/["\\]/g, "\\$&").replace(CONTROL, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
  return `"${escaped}"`;
}

/** One line per rule: a line break would begin another one. */
// oxlint-disable-next-line no-control-regex -- escaping them is the point
const CONTROL = /[\u0000-\u001f\u007f]/g;

/**
 * Any text in which `word` does not occur, and then what `after` says, at any place of the text or at its end.
 *
 * @param word its first character occurs in it once only
 * @param after a rule that may follow; nothing may follow where it is left out
 */
export function textWithout(grammar: Grammar, word: string, after?: string): string {
  const [first = ""] = word;
  const name = (read: number) => `t${read}`;
  for (let read = 0; read < word.length; read++) {
    const next = word[read]!;
    const isLast = read + 1 === word.length;
    const restart = read === 0 ? [] : [`${literal(first)} ${name(1)}`];
    const onward = isLast ? [] : [`${literal(next)} ${name(read + 1)}`];
    const others = `[^${[...new Set([first, next])].join("")}] ${name(0)}`;
    const end = after === undefined ? [] : [after];
    grammar.define(name(read), [others, ...restart, ...onward, ...end, '""'].join(" | "));
  }
  return name(0);
}
