/**
 * The one way out of the page: `window.phantoma`, as `ipc/contract.ts` describes it.
 *
 * @module
 */
import type {
  Bridge,
  ConsoleError,
  RequestInput,
  RequestName,
  RequestOutput,
} from "../../ipc/contract.ts";

declare global {
  interface Window {
    readonly phantoma: Bridge;
  }
}

export const bridge = window.phantoma;

/** A refusal on its way to whoever shows it; queries and mutations need something to throw. */
export class RequestRefused extends Error {
  override readonly name = "RequestRefused";
  readonly error: ConsoleError;

  constructor(error: ConsoleError) {
    super(error.message);
    this.error = error;
  }
}

/** @throws {@link RequestRefused} */
export async function ask<N extends RequestName>(
  name: N,
  input: RequestInput<N>,
): Promise<RequestOutput<N>> {
  const result = await bridge.request(name, input);
  if (!result.ok) throw new RequestRefused(result.error);
  return result.data;
}

/** What can be shown for anything that was thrown. */
export function consoleErrorOf(thrown: unknown): ConsoleError {
  if (thrown instanceof RequestRefused) return thrown.error;
  return { code: "ERR_INTERNAL", message: String(thrown), action: "" };
}
