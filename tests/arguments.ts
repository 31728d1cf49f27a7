/**
 * What a program of ours is given on its command line. What it does not know it refuses, and says how it is
 * called: the indented lines of its own first comment.
 *
 * @module
 */
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs, type ParseArgsOptionsConfig } from "node:util";

/** As a shell has it for a command that was called wrongly; 1 means that a claim does not hold. */
const WRONGLY_CALLED = 2;

export const flag = { type: "boolean", default: false } as const;
export const text = { type: "string" } as const;

/** @returns the command line's options */
export function argumentsOf<T extends ParseArgsOptionsConfig>(options: T) {
  if (process.argv.includes("--help")) {
    process.stdout.write(usage());
    process.exit(0);
  }
  try {
    return parseArgs<{ options: T }>({ options }).values;
  } catch (error) {
    return refuse((error as Error).message);
  }
}

/** A part that was misspelt would not be missed by anybody. */
export function oneOf<T extends string>(
  option: string,
  value: string | undefined,
  names: readonly T[],
): T | undefined {
  if (value === undefined || isAmong(value, names)) return value;
  return refuse(`--${option} is one of: ${names.join(", ")}`);
}

/** @returns a whole number from `least` to `most` */
export function countOf(option: string, value: string, least: number, most: number): number {
  const count = /^\d{1,9}$/.test(value) ? Number(value) : NaN;
  if (count >= least && count <= most) return count;
  return refuse(`--${option} is a number from ${least} to ${most}`);
}

/** @returns the file's absolute path */
export function fileOf(option: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  if (statSync(path, { throwIfNoEntry: false })?.isFile()) return resolve(path);
  return refuse(`--${option} is a file, and there is none at ${path}`);
}

/** Ends the program. @param why without a full stop */
export function refuse(why: string): never {
  process.stderr.write(`ERR_OPTION: ${why}\n\n${usage()}`);
  process.exit(WRONGLY_CALLED);
}

function isAmong<T extends string>(value: string, names: readonly T[]): value is T {
  return (names as readonly string[]).includes(value);
}

/** Called as people call it, where npm says how. */
function usage(): string {
  const [comment = ""] = readFileSync(process.argv[1]!, "utf8").split("*/", 1);
  const lines = comment.match(/^ \* {3}\S.*$/gm) ?? [];
  const script = process.env["npm_lifecycle_event"];
  return lines
    .map((line) =>
      line
        .slice(" * ".length)
        .replace(/\S+\.ts\b/, (file) => (script ? `npm run ${script} --` : file)),
    )
    .map((line) => `${line}\n`)
    .join("");
}
