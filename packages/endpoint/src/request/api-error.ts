/**
 * Everything that a program is told instead of an answer: a status, a sentence, and which parameter it is about.
 *
 * No message quotes what the program sent but the names of its parameters.
 *
 * @module
 */
import { ClientError, isPassing, type ClientErrorCode } from "@phantoma/client";

export interface ApiErrorOptions {
  /** The parameter it is about, as a path such as `messages[0].content`. */
  readonly param?: string;
  readonly code?: string;
  /** Whether the same request may succeed in a moment; the official clients then repeat it by themselves. */
  readonly isPassing?: boolean;
}

export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly param: string | null;
  readonly code: string | null;
  readonly isPassing: boolean;

  constructor(status: number, message: string, options: ApiErrorOptions = {}) {
    super(message);
    this.status = status;
    this.param = options.param ?? null;
    this.code = options.code ?? null;
    this.isPassing = options.isPassing ?? false;
  }
}

/** A parameter that is known and not served. */
export function unsupported(param: string, why: string): ApiError {
  const message = `Unsupported parameter: '${param}': ${why}`;
  return new ApiError(400, message, { param, code: "unsupported_parameter" });
}

/** Statuses of what a node said, or of its silence; every other code is 502. */
const statuses: Partial<Record<ClientErrorCode, number>> = {
  ERR_PROMPT_TOO_LONG: 400,
  ERR_INVALID_MESSAGE: 400,
  ERR_INVALID_UTF8: 400,
  ERR_LIMIT: 413,
  ERR_MODEL_UNKNOWN: 404,
  ERR_MODEL_FAILED: 500,
  ERR_UNREACHABLE: 503,
  ERR_CONNECTION_LOST: 503,
  ERR_TIMEOUT: 503,
  ERR_UNAVAILABLE: 503,
  ERR_BUSY: 503,
  ERR_CONVERSATION_ENDED: 503,
};

/** What OpenAI's clients know by another name than ours. */
const openAiCodes: Partial<Record<ClientErrorCode, string>> = {
  ERR_PROMPT_TOO_LONG: "context_length_exceeded",
  ERR_MODEL_UNKNOWN: "model_not_found",
};

/** @returns what to answer with; never the text of an error that we do not know */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (!(error instanceof ClientError)) return new ApiError(500, "the endpoint failed");
  const { code, message, action } = error;
  const text = `The node: ${message} (${code}). What to do: ${action}.`;
  return new ApiError(statuses[code] ?? 502, text, {
    code: openAiCodes[code] ?? code,
    isPassing: isPassing(error),
    ...(code === "ERR_PROMPT_TOO_LONG" && { param: "messages" }),
    ...(code === "ERR_MODEL_UNKNOWN" && { param: "model" }),
  });
}
