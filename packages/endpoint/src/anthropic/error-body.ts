/**
 * What went wrong, as Anthropic's interface says it.
 *
 * @module
 */
import type { ApiError } from "../request/api-error.ts";

export function anthropicErrorBody(error: ApiError): object {
  const type = ERROR_TYPES[error.status] ?? "api_error";
  return { type: "error", error: { type, message: error.message }, request_id: null };
}

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  503: "overloaded_error",
};
