/**
 * Refuses evaluation questions that the model could have learned by heart: any that shares a run of eight words with a training sentence.
 *
 * Also refuses a question that is, as a whole, a training question. Reads what corpus/make_corpus.py writes, and has it write what is missing
 * (needs Python, nothing else).
 *
 *   node models/demo/eval/check-held-out.ts [--questions FILE] [--corpus FILE]…
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { createReadStream, existsSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { parseQuestions } from "./scoring.ts";

const RUN_WORDS = 8;
const KINDS = ["single", "talk", "prompted", "more"];
const demoDir = fileURLToPath(new URL("..", import.meta.url));

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** All runs of eight words; none in a shorter text, which is compared as a whole instead. */
function runsOf(text: string): string[] {
  const words = wordsOf(text);
  if (words.length < RUN_WORDS) return [];
  return words.slice(RUN_WORDS - 1).map((_, at) => words.slice(at, at + RUN_WORDS).join(" "));
}

const { values: options } = parseArgs({
  options: {
    questions: { type: "string", default: `${demoDir}eval/questions.json` },
    corpus: { type: "string", multiple: true, default: [] },
  },
});

const corpora = options.corpus.length > 0 ? options.corpus : KINDS.map(corpusOf);

const questions = parseQuestions(readFileSync(options.questions, "utf8"));
const owners = new Map<string, string>();
const whole = new Map<string, string>();
for (const { id, question, before } of questions) {
  for (const run of runsOf(question)) owners.set(run, id);
  whole.set(wordsOf(question).join(" "), id);
  for (const earlier of before) for (const run of runsOf(earlier)) owners.set(run, id);
}

const refused = new Map<string, string>();
const same = new Set<string>();
let sentences = 0;
const seen = new Set<string>();
for (const corpus of corpora) {
  for await (const line of createInterface({
    input: createReadStream(corpus),
    crlfDelay: Infinity,
  }))
    compare(line);
}

for (const [id, run] of refused) console.log(`refused ${id}: "${run}"`);
for (const id of same) console.log(`refused ${id}: word for word a training question`);
console.log(
  `${questions.length} questions, ${sentences} training sentences, ${refused.size} share ${RUN_WORDS} words in a row, ${same.size} are training questions`,
);
process.exitCode = refused.size + same.size > 0 ? 1 : 0;

function compare(line: string): void {
  const { messages } = JSON.parse(line) as { messages: { role: string; content: string }[] };
  for (const { role, content } of messages) {
    sentences += 1;
    if (role !== "user" && seen.has(content)) continue;
    if (role !== "user") seen.add(content);
    for (const run of runsOf(content)) {
      const id = owners.get(run);
      if (id !== undefined) refused.set(id, run);
    }
    const id = role === "user" ? whole.get(wordsOf(content).join(" ")) : undefined;
    if (id !== undefined) same.add(id);
  }
}

function corpusOf(kind: string): string {
  const path = `${demoDir}build/corpus-${kind}.jsonl`;
  if (existsSync(path)) return path;
  const made = spawnSync("python3", [`${demoDir}corpus/make_corpus.py`, kind], {
    stdio: "inherit",
  });
  if (made.status !== 0)
    throw new Error("the corpus could not be made: python3 models/demo/corpus/make_corpus.py");
  return path;
}
