/**
 * Calls of functions, as they stand in an answer: a text that the model writes and a grammar holds it to.
 *
 *   <tool_call>
 *   {"name": "weather", "arguments": {"city": "Bern"}}
 *   </tool_call>
 *
 * Several follow each other, a line break between two; nothing but text stands before them and nothing after.
 * It is the form that many models were trained on, and every other one can be held to it.
 *
 * @module
 */

export const CALL_BEGIN = "<tool_call>";
const CALL_END = "\n</tool_call>";

export interface ToolCall {
  readonly name: string;
  /** JSON, as the model wrote it. */
  readonly arguments: string;
}

/** What stands before a call's arguments and after them; a grammar has both as they are. */
export function callFrame(name: string): readonly [before: string, after: string] {
  return [`${CALL_BEGIN}\n{"name": ${JSON.stringify(name)}, "arguments": `, `}${CALL_END}`];
}

/** An answer as a worker has it, in the one way in which answers are compared. */
export function answerText(text: string, calls: readonly ToolCall[]): string {
  const written = calls.map(({ name, arguments: given }) => {
    const [before, after] = callFrame(name);
    return `${before}${normalJson(given)}${after}`;
  });
  return text + written.join("\n");
}

/** A function's result, as the user's side says it. */
export function resultText(name: string, content: string): string {
  return `<tool_response>\n${JSON.stringify({ name, content })}\n</tool_response>`;
}

/** What an answer is made of, as it becomes certain. */
export type AnswerPart =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "call"; readonly call: ToolCall };

/** Takes an answer apart while it comes. */
export class AnswerReader {
  #held = "";
  #isCalling = false;

  /** @param text the next piece of the answer */
  read(text: string): AnswerPart[] {
    this.#held += text;
    const parts: AnswerPart[] = [];
    if (!this.#isCalling) {
      const begin = this.#held.indexOf(CALL_BEGIN);
      this.#isCalling = begin >= 0;
      parts.push(...this.#release(begin >= 0 ? begin : certain(this.#held)));
    }
    while (this.#isCalling) {
      this.#held = this.#held.trimStart();
      const end = this.#held.indexOf(CALL_END);
      if (end < 0) break;
      // The last brace is not of the arguments.
      parts.push(...callOf(this.#held.slice(0, end - 1)));
      this.#held = this.#held.slice(end + CALL_END.length);
    }
    return parts;
  }

  /** The answer is over. A call that was cut is given as far as it came. */
  end(): AnswerPart[] {
    const rest = this.#held;
    this.#held = "";
    if (rest === "") return [];
    return this.#isCalling ? callOf(rest) : [{ type: "text", text: rest }];
  }

  #release(length: number): AnswerPart[] {
    const text = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    return text === "" ? [] : [{ type: "text", text }];
  }
}

/** The whole of an answer. */
export function readAnswer(text: string): { text: string; calls: ToolCall[] } {
  const reader = new AnswerReader();
  const parts = [...reader.read(text), ...reader.end()];
  return {
    text: parts.map((part) => (part.type === "text" ? part.text : "")).join(""),
    calls: parts.flatMap((part) => (part.type === "call" ? [part.call] : [])),
  };
}

const CALL = /^<tool_call>\n\{"name": ("[^"]*"), "arguments": (.*)$/s;

function callOf(text: string): AnswerPart[] {
  const [, name, given] = CALL.exec(text) ?? [];
  if (name === undefined || given === undefined) return [];
  return [{ type: "call", call: { name: JSON.parse(name) as string, arguments: given } }];
}

/** How much of a text cannot be the beginning of a call. */
function certain(text: string): number {
  for (let length = Math.min(text.length, CALL_BEGIN.length - 1); length > 0; length--)
    if (text.endsWith(CALL_BEGIN.slice(0, length))) return text.length - length;
  return text.length;
}

/** Clients read arguments and write them again. */
function normalJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return text;
  }
}
