/**
 * A byte-level BPE vocabulary: 256 byte tokens, so any text tokenises, three control tokens, and for a wide
 * vocabulary tokens of two and four letters with the merges that lead to them.
 * The vocabulary does not depend on the seed.
 *
 *   0 … 255    the byte of that value
 *   256        <|endoftext|>  begin and end of text
 *   257        <|im_start|>
 *   258        <|im_end|>     end of turn
 *   259 …      pairs and quads of letters, only in a wide vocabulary
 *
 * Source: GPT-2 `bytes_to_unicode` for the spelling of a byte; ggml docs/gguf.md, "Tokenizer", for the keys.
 *
 * @module
 */
import type { Metadata, MetadataValue } from "./gguf-writer.ts";

/** Bytes and control tokens: the smallest vocabulary, and where the wide part starts. */
export const BYTE_VOCABULARY = 259;

/** Letters of English from the most to the least frequent. */
export const LETTERS = "etaoinshrdlucmfwypvbgkjqxz";

/** Turns of `<|im_start|>ROLE`, text, `<|im_end|>`, as ChatML has them. */
export const CHATML_TEMPLATE =
  "{% for message in messages %}" +
  "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

/**
 * The `tokenizer.*` keys.
 *
 * @param vocabularySize at least {@link BYTE_VOCABULARY}; all above that are letter tokens
 */
export function tokenizerMetadata(vocabularySize: number, chatTemplate: string): Metadata {
  const { words, merges } = letterTokens(vocabularySize - BYTE_VOCABULARY);
  const tokens = [...BYTE_SPELLINGS, "<|endoftext|>", "<|im_start|>", "<|im_end|>", ...words];
  const types = tokens.map((_, id) => (isControl(id) ? CONTROL : NORMAL));
  return new Map<string, MetadataValue>([
    ["tokenizer.ggml.model", { type: "string", value: "gpt2" }],
    ["tokenizer.ggml.pre", { type: "string", value: "gpt-2" }],
    ["tokenizer.ggml.tokens", { type: "string array", value: tokens }],
    ["tokenizer.ggml.token_type", { type: "i32 array", value: types }],
    ["tokenizer.ggml.merges", { type: "string array", value: merges }],
    ["tokenizer.ggml.bos_token_id", { type: "u32", value: END_OF_TEXT }],
    ["tokenizer.ggml.eos_token_id", { type: "u32", value: END_OF_TEXT }],
    ["tokenizer.ggml.eot_token_id", { type: "u32", value: END_OF_TURN }],
    ["tokenizer.ggml.padding_token_id", { type: "u32", value: END_OF_TEXT }],
    ["tokenizer.ggml.add_bos_token", { type: "bool", value: false }],
    ["tokenizer.chat_template", { type: "string", value: chatTemplate }],
  ]);
}

export function isControl(token: number): boolean {
  return token >= END_OF_TEXT && token <= END_OF_TURN;
}

const END_OF_TEXT = 256;
const END_OF_TURN = 258;

/** `llama_token_type` numbers. */
const NORMAL = 1;
const CONTROL = 3;

/** A byte that prints is spelled as itself, the others as U+0100 onward, in order. */
const BYTE_SPELLINGS: readonly string[] = (() => {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const prints = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    return String.fromCharCode(prints ? byte : next++);
  });
})();

/**
 * The `count` commonest letter tokens: pairs, then quads of two pairs, those of frequent letters first.
 * A pair may begin with a space, as words do in byte-level BPE.
 */
function letterTokens(count: number): { words: string[]; merges: string[] } {
  if (count === 0) return { words: [], merges: [] };
  const space = BYTE_SPELLINGS[0x20] ?? "";
  const pairs = [space, ...LETTERS.split("")].flatMap((first, firstRank) =>
    LETTERS.split("").map((second, secondRank) => ({
      first,
      second,
      rank: firstRank + secondRank,
    })),
  );
  const quads = pairs.flatMap((head) =>
    pairs
      .filter((tail) => tail.first !== space)
      .map((tail) => ({
        first: head.first + head.second,
        second: tail.first + tail.second,
        rank: head.rank + tail.rank,
      })),
  );
  const byRank = (left: { rank: number }, right: { rank: number }) => left.rank - right.rank;
  const chosen = [...pairs.sort(byRank), ...quads.sort(byRank)].slice(0, count);
  return {
    words: chosen.map(({ first, second }) => first + second),
    merges: chosen.map(({ first, second }) => `${first} ${second}`),
  };
}
