/**
 * Which parameters an interface takes, and what becomes of every other one: it is refused by its name.
 *
 * The same tables make `docs/endpoint.md`, and a test sends every example of theirs to a real endpoint.
 *
 * @module
 */
import type { z } from "zod";
import { ApiError, unsupported } from "./api-error.ts";

export type ParameterRow =
  /** Taken; `example` is one value of many, `beside` what it needs. */
  | { readonly taken: string; readonly example: unknown; readonly beside?: object }
  /** Taken where it asks for what happens anyway. */
  | { readonly only: readonly unknown[]; readonly why: string; readonly example: unknown }
  /** Refused; `example` is a value that a client would send. */
  | { readonly refused: string; readonly example: unknown };

export type ParameterTable = Readonly<Record<string, ParameterRow>>;

/**
 * The body with nothing in it but what is taken. `null` counts as left out, as it does with the interfaces that
 * are copied here.
 *
 * @throws {@link ApiError} 400 that names the parameter
 */
export function admitParameters<T>(
  table: ParameterTable,
  schema: z.ZodType<T>,
  untrusted: Readonly<Record<string, unknown>>,
): T {
  const taken: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(untrusted)) {
    const row = Object.hasOwn(table, name) ? table[name] : undefined;
    if (row === undefined) throw unknownParameter(name);
    if (value === null) continue;
    if ("refused" in row) throw unsupported(name, row.refused);
    if ("taken" in row) taken[name] = value;
    else if (!row.only.some((only) => isEqual(only, value))) {
      const values = row.only.map((only) => JSON.stringify(only)).join(" or ");
      throw new ApiError(400, `Unsupported value: '${name}' can only be ${values}: ${row.why}`, {
        param: name,
        code: "unsupported_value",
      });
    }
  }
  return parseParameters(schema, taken);
}

/** @throws {@link ApiError} 400 that names the parameter, never its value */
export function parseParameters<T>(schema: z.ZodType<T>, untrusted: unknown): T {
  const parsed = schema.safeParse(untrusted);
  if (parsed.success) return parsed.data;
  const issue = deepest(parsed.error.issues[0]!);
  if (issue.code === "unrecognized_keys") throw unknownParameter(pathOf(issue.path, issue.keys[0]));
  const param = pathOf(issue.path);
  const isMissing = issue.code === "invalid_type" && issue.message.endsWith("received undefined");
  const message = isMissing
    ? `Missing required parameter: '${param}'.`
    : `Invalid value for '${param}': ${issue.message}`;
  throw new ApiError(400, message, {
    param,
    code: isMissing ? "missing_required_parameter" : "invalid_value",
  });
}

type Issue = z.core.$ZodIssue;

/** Of a union, what the alternative says that came furthest. */
function deepest(issue: Issue): Issue {
  if (issue.code !== "invalid_union") return issue;
  const inner = issue.errors.flat().map((one) => {
    const found = deepest(one);
    return { ...found, path: [...issue.path, ...found.path] };
  });
  if (inner.length === 0) return issue;
  return inner.reduce((best, one) => (one.path.length > best.path.length ? one : best));
}

function pathOf(path: readonly PropertyKey[], ...last: readonly (string | undefined)[]): string {
  return [...path, ...last]
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`))
    .join("")
    .replace(/^\./, "");
}

function unknownParameter(name: string): ApiError {
  const param = name.slice(0, MAX_NAME_CHARS);
  const message = `Unknown parameter: '${param}'. This endpoint ignores nothing.`;
  return new ApiError(400, message, { param, code: "unknown_parameter" });
}

/** A name comes from the program; an answer does not repeat a page of it. */
const MAX_NAME_CHARS = 100;

function isEqual(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
