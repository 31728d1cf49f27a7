/**
 * To which form an answer is held, and what the model is told about it: functions that it may call, JSON of a schema.
 *
 * @module
 */
import { Grammar, literal, MAX_GRAMMAR_CHARS, textWithout } from "../grammar/grammar.ts";
import { definePrimitives, schemaRule } from "../grammar/json-schema-grammar.ts";
import { ApiError } from "../request/api-error.ts";
import { CALL_BEGIN, callFrame } from "./tool-calls.ts";

export interface Tool {
  readonly name: string;
  readonly description?: string | undefined;
  /** JSON Schema of an object; without one the arguments are any object. */
  readonly parameters?: unknown;
  /** Where its schema stands in the request. */
  readonly param: string;
}

/** Which functions the answer may, must or must not call. */
export interface ToolChoice {
  readonly mode: "none" | "auto" | "required";
  /** The only ones that may be called; all where it is absent. */
  readonly names?: readonly string[];
}

/** What an answer is where it calls nothing. */
export type TextForm =
  | { readonly type: "text" }
  | { readonly type: "json" }
  | { readonly type: "schema"; readonly schema: unknown; readonly param: string };

export interface AnswerForm {
  readonly tools: readonly Tool[];
  readonly choice: ToolChoice;
  /** Whether one answer may have several calls. */
  readonly isParallel: boolean;
  readonly text: TextForm;
}

/** @throws {@link ApiError} 400 where two have one name */
export function withoutTwins(tools: readonly Tool[]): readonly Tool[] {
  const twin = tools.findIndex(({ name }, at) => tools.findIndex((one) => one.name === name) < at);
  const param = `tools[${twin}]`;
  if (twin >= 0) throw new ApiError(400, `The function '${param}' has another's name.`, { param });
  return tools;
}

/**
 * @param names the only ones that may be called
 * @throws {@link ApiError} 400 where there is nothing to call
 */
export function choiceAmong(
  tools: readonly Tool[],
  mode: ToolChoice["mode"],
  names?: readonly string[],
): ToolChoice {
  const isMissing =
    names?.some((name) => !tools.some((tool) => tool.name === name)) ??
    (mode === "required" && tools.length === 0);
  if (isMissing)
    throw new ApiError(400, "'tool_choice' names no function of 'tools'.", {
      param: "tool_choice",
    });
  return names ? { mode, names } : { mode };
}

/** More in one answer are a loop. */
const MAX_CALLS = 16;

/** @returns GBNF; `undefined` where any text will do. @throws {@link ApiError} 400 */
export function grammarOf({ tools, choice, isParallel, text }: AnswerForm): string | undefined {
  if (tools.length === 0 && text.type === "text") return undefined;
  const grammar = new Grammar();
  definePrimitives(grammar);
  const calls = callsRule(grammar, tools, choice, isParallel);
  const written = grammar.text(rootOf(grammar, text, choice, calls));
  if (written.length <= MAX_GRAMMAR_CHARS) return written;
  throw new ApiError(
    400,
    `The schemas together are a grammar of over ${MAX_GRAMMAR_CHARS} characters.`,
    {
      param: text.type === "schema" ? text.param : "tools",
      code: "unsupported_schema",
    },
  );
}

function rootOf(
  grammar: Grammar,
  text: TextForm,
  { mode }: ToolChoice,
  calls: string | undefined,
): string {
  if (calls !== undefined && mode === "required") return calls;
  if (text.type === "text") return textWithout(grammar, CALL_BEGIN, calls);
  const json = text.type === "json" ? "object" : schemaRule(grammar, text.schema, text.param);
  return calls === undefined ? json : `${json} | ${calls}`;
}

function callsRule(
  grammar: Grammar,
  tools: readonly Tool[],
  choice: ToolChoice,
  isParallel: boolean,
): string | undefined {
  const callable = tools.filter(
    ({ name }) => choice.mode !== "none" && (choice.names?.includes(name) ?? true),
  );
  if (callable.length === 0) return undefined;
  const bodies = callable.map(({ name, parameters, param }) => {
    const [before, after] = callFrame(name);
    const given = parameters === undefined ? "object" : schemaRule(grammar, parameters, param);
    return `${literal(before)} ${given} ${literal(after)}`;
  });
  const call = grammar.define("call", bodies.join(" | "));
  const further = isParallel ? ` (${literal("\n")} ${call}){0,${MAX_CALLS - 1}}` : "";
  return grammar.define("calls", `${call}${further}`);
}

/** What the model is told of the functions; the same whatever it may choose, so that a conversation goes on. */
export function toolInstructions(tools: readonly Tool[]): string | undefined {
  if (tools.length === 0) return undefined;
  const described = tools.map(({ name, description, parameters }) =>
    JSON.stringify({ name, description, parameters }),
  );
  const [before, after] = callFrame("NAME");
  return [
    "These functions can be called, one per line as JSON with the schema of their arguments:",
    "<tools>",
    ...described,
    "</tools>",
    "To call one, end your answer with:",
    `${before}{…}${after}`,
    "The result comes in the next message.",
  ].join("\n");
}
