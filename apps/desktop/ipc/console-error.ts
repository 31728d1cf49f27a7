/**
 * Every expected failure as the page sees it: a code, a sentence, and one thing to do about it.
 *
 * A failure is a result, never an exception: an exception that crosses Electron's channel keeps only
 * its message.
 *
 * @module
 */
import { z } from "zod";
import {
  clientCodes,
  consoleAdvice,
  provisionCodes,
  vaultCodes,
  type ConsoleOwnCode,
} from "./error-codes.ts";

const ownCodes = Object.keys(consoleAdvice) as [ConsoleOwnCode, ...ConsoleOwnCode[]];

export const consoleErrorSchema = z.strictObject({
  code: z.enum([...ownCodes, ...clientCodes, ...provisionCodes, ...vaultCodes]),
  /** One sentence, in English; the page translates by code and shows this beside it. */
  message: z.string().max(2000),
  /** What a person should do. */
  action: z.string().max(300),
});

export type ConsoleError = z.infer<typeof consoleErrorSchema>;

export type Result<T> =
  { readonly ok: true; readonly data: T } | { readonly ok: false; readonly error: ConsoleError };
