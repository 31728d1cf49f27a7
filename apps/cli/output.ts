/**
 * What the terminal shows: text for people on standard output, notices and errors beside it.
 *
 * @module
 */
import { ClientError } from "@phantoma/client";

/** The command line is wrong: exit code 2. */
export class UsageError extends Error {}

/** Everything that would steer the terminal: C0 but newline and tab, DEL, C1. */
// oxlint-disable-next-line no-control-regex -- removing them is the point
const STEERING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** A model's words as they may be shown on a terminal: they cannot move its cursor or set its title. */
export function printable(untrusted: string): string {
  return untrusted.replace(STEERING, "");
}

export function write(text: string): void {
  process.stdout.write(text);
}

/** For people who wait; never part of the result. */
export function notice(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Machine-readable: one JSON value per line; bytes in hex, counters as text. */
export function writeJson(value: unknown): void {
  write(`${JSON.stringify(value, jsonValue)}\n`);
}

export function printError(error: Error, isJson: boolean): void {
  if (!(error instanceof ClientError)) return notice(`phantoma: ${error.message}`);
  const { code, message, action } = error;
  if (isJson) writeJson({ error: { code, message, action } });
  notice(`phantoma: ${printable(message)} (${code})\n  what to do: ${action}`);
}

export function fail(message: string, exitCode: number): void {
  notice(message);
  process.exitCode = exitCode;
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** JSON.stringify sees a Buffer after its own toJSON, so both forms are met here. */
function jsonValue(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return hex(value);
  return value;
}
