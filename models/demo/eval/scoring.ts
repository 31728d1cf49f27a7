/**
 * How answers are scored: by key facts, and for unknown topics by an honest "I don't know".
 *
 * A question carries groups of alternatives; an answer is right when every group is hit. Nothing here runs a model.
 *
 * @module
 */

export type Category = "known" | "follow-up" | "unknown";

export interface Question {
  readonly id: string;
  readonly category: Category;
  /** What the user said before, oldest first; the model answers each before the question is asked. */
  readonly before: readonly string[];
  readonly question: string;
  /** Every group must be hit by one of its alternatives. Empty only for unknown topics. */
  readonly facts: readonly (readonly string[])[];
}

/** What counts as admitting not to know; one is enough. */
const HONEST: readonly string[] = [
  "i don't know",
  "i do not know",
  "don't know that",
  "do not know that",
];

/** Lower case, straight apostrophes, single spaces: how a fact is spelled must not depend on typography. */
export function normalised(text: string): string {
  return text
    .toLowerCase()
    .replace(/[\u2018\u2019]/gu, "'")
    .replace(/[\u2010-\u2015]/gu, "-")
    .replace(/\s+/gu, " ")
    .trim();
}

/** True when `fact` stands in `answer` and does not begin or end inside a number. */
function states(answer: string, fact: string): boolean {
  for (let at = answer.indexOf(fact); at >= 0; at = answer.indexOf(fact, at + 1)) {
    const cutsBefore = /^\d/u.test(fact) && /[\d.,]$/u.test(answer.slice(0, at));
    const cutsAfter = /\d$/u.test(fact) && /^\d/u.test(answer.slice(at + fact.length));
    if (!cutsBefore && !cutsAfter) return true;
  }
  return false;
}

export function isRight(question: Question, answer: string): boolean {
  const said = normalised(answer);
  if (question.category === "unknown" && question.facts.length === 0)
    return HONEST.some((phrase) => said.includes(phrase));
  return question.facts.every((alternatives) =>
    alternatives.some((fact) => states(said, normalised(fact))),
  );
}

/**
 * Reads a questions file.
 *
 * @throws Error that names the entry that is not understood
 */
export function parseQuestions(untrusted: string): readonly Question[] {
  const parsed: unknown = JSON.parse(untrusted);
  if (!Array.isArray(parsed)) throw new Error("a questions file is a JSON array");
  return parsed.map((entry: unknown, index) => {
    const named = `question ${index + 1}`;
    if (typeof entry !== "object" || entry === null) throw new Error(`${named}: not an object`);
    const {
      id = String(index + 1),
      category,
      before = [],
      question,
      facts = [],
    } = entry as Record<string, unknown>;
    if (category !== "known" && category !== "follow-up" && category !== "unknown")
      throw new Error(`${named}: category must be known, follow-up or unknown`);
    if (typeof id !== "string" || typeof question !== "string" || question === "")
      throw new Error(`${named}: id and question must be text`);
    if (!isTexts(before)) throw new Error(`${named}: before must be a list of texts`);
    if (!Array.isArray(facts) || !facts.every((group) => isTexts(group) && group.length > 0))
      throw new Error(`${named}: facts must be a list of lists of texts`);
    if (category !== "unknown" && facts.length === 0) throw new Error(`${named}: needs facts`);
    if (category === "follow-up" && before.length === 0)
      throw new Error(`${named}: a follow-up needs what came before`);
    return { id, category, before, question, facts: facts as string[][] };
  });
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
