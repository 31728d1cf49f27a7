/**
 * Compares llama.cpp's tokens with those of tokenizer.py for every text of the corpus: a difference would make the model read what it never learned.
 *
 *   python3 models/demo/eval/dump_tokens.py | node models/demo/eval/check-tokens.ts [MODEL]
 *
 * @module
 */
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { getLlama } from "node-llama-cpp";

const modelPath = process.argv[2] ?? fileURLToPath(new URL("../model.gguf", import.meta.url));
const llama = await getLlama({ gpu: false, build: "never", progressLogs: false });
const model = await llama.loadModel({ modelPath, vocabOnly: true });

let texts = 0;
let different = 0;
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const { text, messages, ids } = JSON.parse(line) as {
    text?: string;
    messages?: { role: string; content: string }[];
    ids: number[];
  };
  const whole = messages
    ?.map(({ role, content }) => `<|im_start|>${role}\n${content}<|im_end|>\n`)
    .join("");
  const theirs: readonly number[] =
    whole === undefined ? model.tokenize(text ?? "") : model.tokenize(whole, true);
  texts += 1;
  if (theirs.join() !== ids.join()) {
    different += 1;
    if (different <= 5)
      console.log(
        `different: ${JSON.stringify(text ?? whole)}\n  llama.cpp ${theirs.join(" ")}\n  ours      ${ids.join(" ")}`,
      );
  }
}
await llama.dispose();
console.log(`${texts} texts and conversations, ${different} tokenised differently`);
process.exitCode = different > 0 || texts === 0 ? 1 : 0;
