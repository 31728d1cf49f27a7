/**
 * What the terminal shows: text for people on standard output, notices and errors beside it.
 *
 * Everything passes {@link printable} on its way, so no command can forget it.
 *
 * @module
 */
/** The command line is wrong: exit code 2. */
export class UsageError extends Error {}

/** Everything that would steer the terminal: C0 but newline and tab, DEL, C1. */
// oxlint-disable-next-line no-control-regex -- removing them is the point
const STEERING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
/** What would move a name out of its line, or turn its order round. */
const LINE_BREAKING = /[\n\t\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
/** DEL and C1: JSON leaves them as they are, a terminal obeys some. */
// oxlint-disable-next-line no-control-regex -- escaping them is the point
const NOT_ESCAPED_BY_JSON = /[\u007f-\u009f]/g;

/** Text for a terminal: it cannot move the cursor or set the title; newline and tab stay. */
function printable(untrusted: string): string {
  return untrusted.replace(STEERING, "");
}

/** A name for a line of its own: it cannot begin another line. */
export function oneLine(untrusted: string): string {
  return printable(untrusted).replace(LINE_BREAKING, "");
}

/** A time that a node said, in milliseconds since 1970; it may be no time at all. */
export function timeText(untrusted: number): string {
  const date = new Date(untrusted);
  return Number.isNaN(date.getTime()) ? "at no time that exists" : date.toISOString();
}

/** For people. */
export function write(untrusted: string): void {
  process.stdout.write(printable(untrusted));
}

/** For people who wait; never part of the result. */
export function notice(untrusted: string): void {
  process.stderr.write(`${printable(untrusted)}\n`);
}

/** Machine-readable: one JSON value per line; bytes in hex, counters as text. */
export function writeJson(value: unknown): void {
  const line = JSON.stringify(value, jsonValue).replace(NOT_ESCAPED_BY_JSON, escaped);
  process.stdout.write(`${line}\n`);
}

/** An error of ours that has a code and says what to do, of whichever package. */
interface AdvisedError extends Error {
  readonly code: string;
  readonly action: string;
}

export function isAdvised(error: unknown): error is AdvisedError {
  const { code, action } = error as Partial<AdvisedError>;
  return error instanceof Error && typeof code === "string" && typeof action === "string";
}

export function printError(error: Error, isJson: boolean): void {
  if (!isAdvised(error)) return notice(`phantoma: ${error.message}`);
  const { code, message, action } = error;
  if (isJson) writeJson({ error: { code, message, action } });
  notice(`phantoma: ${message} (${code})\n  what to do: ${action}`);
}

export function fail(message: string, exitCode: number): void {
  notice(message);
  process.exitCode = exitCode;
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** A Buffer was already changed by its own toJSON when it comes as `value`; its holder still has it. */
function jsonValue(this: unknown, key: string, value: unknown): unknown {
  const held = (this as Record<string, unknown>)[key];
  if (typeof value === "bigint") return value.toString();
  if (held instanceof Uint8Array) return hex(held);
  return value;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
