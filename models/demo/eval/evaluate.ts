/**
 * Asks the demo model every evaluation question through node-llama-cpp and says how many answers are right.
 *
 *   node models/demo/eval/evaluate.ts [--questions FILE] [--model FILE] [--json] [--wrong]
 *
 * Greedy decoding, one thread, the chat template of the file. Exits 1 below a threshold.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { getLlama, LlamaChatSession } from "node-llama-cpp";

import { isRight, parseQuestions, type Category, type Question } from "./scoring.ts";

const demoDir = fileURLToPath(new URL("..", import.meta.url));

/** An answer that is longer has not stopped by itself: the longest one in the corpus has under 100 tokens. */
const MAX_ANSWER_TOKENS = 256;
const CONTEXT_TOKENS = 1024;
/** Two threads spin at a barrier and can be a thousand times slower beside another program. */
const THREADS = 1;
/** Each shuffle gives every question the answer of another one. */
const SHUFFLES = 20;

/** In percent; `endless` is a number of answers. */
const THRESHOLDS = {
  known: 85,
  "follow-up": 60,
  unknown: 80,
  shuffledAtMost: 10,
  endlessAtMost: 0,
} as const;

interface Asked {
  readonly question: Question;
  readonly answer: string;
  readonly right: boolean;
  readonly endless: boolean;
}

const { values: options } = parseArgs({
  options: {
    questions: { type: "string", default: `${demoDir}eval/questions.json` },
    model: { type: "string", default: `${demoDir}model.gguf` },
    json: { type: "boolean", default: false },
    wrong: { type: "boolean", default: false },
  },
});

const questions = parseQuestions(readFileSync(options.questions, "utf8"));
const startedMs = performance.now();
const asked = await askAll(questions, options.model);
const seconds = (performance.now() - startedMs) / 1000;

const rows = (["known", "follow-up", "unknown"] as const).map((category) => row(category, asked));
const shuffledPercent = shuffled(asked.filter(({ question }) => question.facts.length > 0));
const endless = asked.filter((one) => one.endless).length;
const misses: string[] = [];
for (const { category, percent, questions: count } of rows) {
  if (count > 0 && percent < THRESHOLDS[category])
    misses.push(`${category} below ${THRESHOLDS[category]} %`);
}
if (shuffledPercent > THRESHOLDS.shuffledAtMost)
  misses.push(`shuffled above ${THRESHOLDS.shuffledAtMost} %`);
if (endless > THRESHOLDS.endlessAtMost) misses.push("answers that do not stop");

if (options.json) {
  const answers = asked.map(({ question, answer, right }) => ({
    id: question.id,
    category: question.category,
    question: question.question,
    answer,
    right,
  }));
  console.log(
    JSON.stringify(
      {
        model: options.model,
        questions: questions.length,
        rows,
        shuffledPercent,
        endless,
        seconds,
        thresholds: THRESHOLDS,
        holds: misses.length === 0,
        misses,
        answers,
      },
      null,
      2,
    ),
  );
} else {
  for (const { question, answer, right } of asked) {
    if (!options.wrong || !right)
      console.log(
        `${right ? "right" : "WRONG"}  ${question.id}  ${[...question.before, question.question].join(" / ")}\n       ${answer.replaceAll("\n", " ")}`,
      );
  }
  console.log(
    `\n${"category".padEnd(12)}${"questions".padStart(10)}${"right".padStart(8)}${"percent".padStart(10)}${"needed".padStart(10)}`,
  );
  for (const { category, questions: count, right, percent } of rows) {
    console.log(
      `${category.padEnd(12)}${String(count).padStart(10)}${String(right).padStart(8)}${percent.toFixed(1).padStart(10)}${`>= ${THRESHOLDS[category]}`.padStart(10)}`,
    );
  }
  console.log(
    `${"shuffled".padEnd(12)}${"".padStart(18)}${shuffledPercent.toFixed(1).padStart(10)}${`<= ${THRESHOLDS.shuffledAtMost}`.padStart(10)}`,
  );
  console.log(
    `${"endless".padEnd(12)}${"".padStart(10)}${String(endless).padStart(8)}${"".padStart(10)}${"0".padStart(10)}`,
  );
  const figures = rows
    .filter((one) => one.questions > 0)
    .map(
      ({ category, right, questions: count, percent }) =>
        `${category} ${right}/${count} (${percent.toFixed(1)} %)`,
    );
  console.log(
    `\n${figures.join(", ")}, shuffled ${shuffledPercent.toFixed(1)} %, endless ${endless}, ${seconds.toFixed(0)} s: ${misses.length === 0 ? "holds" : misses.join("; ")}`,
  );
}
process.exitCode = misses.length === 0 ? 0 : 1;

async function askAll(all: readonly Question[], modelPath: string): Promise<readonly Asked[]> {
  const llama = await getLlama({ gpu: false, build: "never", progressLogs: false });
  const model = await llama.loadModel({ modelPath });
  const context = await model.createContext({ contextSize: CONTEXT_TOKENS, threads: THREADS });
  const sequence = context.getSequence();
  const done: Asked[] = [];
  for (const question of all) {
    await sequence.clearHistory();
    const session = new LlamaChatSession({ contextSequence: sequence });
    const replies = [];
    for (const text of [...question.before, question.question]) {
      replies.push(
        await session.promptWithMeta(text, { temperature: 0, maxTokens: MAX_ANSWER_TOKENS }),
      );
    }
    const answer = replies.at(-1)?.responseText.trim() ?? "";
    const wasEndless = replies.some(({ stopReason }) => stopReason === "maxTokens");
    done.push({
      question,
      answer,
      right: isRight(question, answer) && !wasEndless,
      endless: wasEndless,
    });
    session.dispose();
  }
  await llama.dispose();
  return done;
}

function row(
  category: Category,
  all: readonly Asked[],
): { category: Category; questions: number; right: number; percent: number } {
  const mine = all.filter(({ question }) => question.category === category);
  const right = mine.filter((one) => one.right).length;
  return {
    category,
    questions: mine.length,
    right,
    percent: mine.length === 0 ? 0 : (100 * right) / mine.length,
  };
}

/** How many percent the scorer would call right if each question got the answer of another: the floor of its strictness. */
function shuffled(all: readonly Asked[]): number {
  let hits = 0;
  let tries = 0;
  for (let shift = 1; shift <= Math.min(SHUFFLES, all.length - 1); shift += 1) {
    // Steps of 7 spread the shifts, because neighbours in the file often share a topic.
    const step = (shift * 7) % all.length || 1;
    all.forEach(({ question }, at) => {
      hits += isRight(question, all[(at + step) % all.length]?.answer ?? "") ? 1 : 0;
      tries += 1;
    });
  }
  return tries === 0 ? 0 : (100 * hits) / tries;
}
