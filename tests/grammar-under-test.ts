/**
 * A grammar, tried on llama.cpp's own reader of grammars. For tests.
 *
 * @module
 */
import { loadLlamaAddon } from "../apps/node/worker/engine/llama-addon.ts";

interface Readable {
  readonly AddonGrammar: new (
    text: string,
    options: { readonly addonExports: unknown },
  ) => { isTextCompatible(text: string): boolean };
}

const addon = (await loadLlamaAddon()) as unknown as Readable;

/** @throws where llama.cpp cannot read the grammar */
export function isInGrammar(grammar: string, text: string): boolean {
  return new addon.AddonGrammar(grammar, { addonExports: addon }).isTextCompatible(text);
}
