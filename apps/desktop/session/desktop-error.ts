/**
 * The console's own refusals as exceptions inside it, and any exception as what the page is told.
 *
 * @module
 */
import { ClientError } from "@phantoma/client";
import { ProvisionError } from "@phantoma/provision";
import { VaultError } from "@phantoma/vault";
import type { ConsoleError } from "../ipc/console-error.ts";
import { consoleAdvice, type ConsoleOwnCode } from "../ipc/error-codes.ts";

export class DesktopError extends Error {
  override readonly name = "DesktopError";
  readonly code: ConsoleOwnCode;

  constructor(code: ConsoleOwnCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Characters of a message that a page shows; a node's log can be long. */
const MAX_MESSAGE_CHARS = 2000;

/** What the page is told. Nothing of an unknown error is passed on: it may quote a conversation. */
export function consoleErrorOf(error: unknown): ConsoleError {
  const isTold =
    error instanceof ClientError || error instanceof ProvisionError || error instanceof VaultError;
  if (isTold) {
    const { code, message, action } = error;
    return { code, message: message.slice(0, MAX_MESSAGE_CHARS), action };
  }
  const [code, message] =
    error instanceof DesktopError
      ? [error.code, error.message]
      : (["ERR_INTERNAL", "the console failed at this"] as const);
  return { code, message: message.slice(0, MAX_MESSAGE_CHARS), action: consoleAdvice[code] };
}
