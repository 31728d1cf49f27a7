/**
 * What went wrong, as OpenAI's interfaces say it.
 *
 * @module
 */
import type { ApiError } from "../request/api-error.ts";

export function openAiErrorBody(error: ApiError): object {
  const { message, param, code } = error;
  return { error: { message, type: typeOf(error.status), param, code } };
}

function typeOf(status: number): string {
  if (status === 401) return "authentication_error";
  if (status === 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "server_error";
}
