/**
 * Words of saved conversations, in memory only: nothing of it is ever written, and it goes with the vault's closing.
 *
 * @module
 */

/** Longer words are cut: they are hashes and addresses, and a search for one finds it all the same. */
const MAX_WORD_CHARS = 32;

export class SearchIndex {
  readonly #byWord = new Map<string, Set<string>>();
  readonly #wordsOf = new Map<string, readonly string[]>();

  /** Replaces what was known of `id`. */
  add(id: string, texts: Iterable<string>): void {
    this.remove(id);
    const words = new Set<string>();
    for (const text of texts) for (const word of wordsIn(text)) words.add(word);
    for (const word of words) {
      const ids = this.#byWord.get(word);
      if (ids) ids.add(id);
      else this.#byWord.set(word, new Set([id]));
    }
    this.#wordsOf.set(id, [...words]);
  }

  remove(id: string): void {
    for (const word of this.#wordsOf.get(id) ?? []) {
      const ids = this.#byWord.get(word)!;
      ids.delete(id);
      if (ids.size === 0) this.#byWord.delete(word);
    }
    this.#wordsOf.delete(id);
  }

  /** Those that have every word of the query, or one that begins with it; none for a query without words. */
  find(query: string): string[] {
    const sets = wordsIn(query).map((word) => this.#beginningWith(word));
    const [smallest, ...others] = sets.sort((a, b) => a.size - b.size);
    return [...(smallest ?? [])].filter((id) => others.every((ids) => ids.has(id)));
  }

  clear(): void {
    this.#byWord.clear();
    this.#wordsOf.clear();
  }

  #beginningWith(start: string): Set<string> {
    const found = new Set<string>();
    for (const [word, ids] of this.#byWord)
      if (word.startsWith(start)) for (const id of ids) found.add(id);
    return found;
  }
}

function wordsIn(text: string): string[] {
  const words =
    text
      .normalize("NFKC")
      .toLowerCase()
      .match(/[\p{L}\p{N}\p{M}_]+/gu) ?? [];
  return words.map((word) => word.slice(0, MAX_WORD_CHARS));
}
