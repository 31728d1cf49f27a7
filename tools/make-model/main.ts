/**
 * The command line of the model maker: `make-model tiny|large|echo [options]`.
 * What it made goes to standard output, everything else to standard error.
 *
 * @module
 */
import { join, relative } from "node:path";
import { parseArgs } from "node:util";

import { makeModel, MakeModelError, modelFileName, shapes } from "./make-model.ts";
import type { Shape } from "./make-model.ts";

const USAGE = `make-model tiny|large|echo [options]

  tiny    3 MB of seeded noise that answers printable text: for tests
  large   the same, of the size you ask for: for benchmarks
  echo    repeats the last tokens of its prompt: for leak tests

  --out FILE     default .cache/models/NAME-SEED.gguf
  --seed N       default 1
  --size-mb N    large only, 100 to 8000, default 500
  --period N     echo only, 16 to 1024 tokens, default 96
  --json         print { path, bytes, sha256, wasThere } as JSON
`;

const OPTIONS = {
  out: { type: "string" },
  seed: { type: "string" },
  "size-mb": { type: "string" },
  period: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof MakeModelError)) throw error;
  process.stderr.write(`make-model: ${error.code}: ${error.message}\n`);
  process.exitCode = 1;
}

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseOptions(args);
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const shape = chooseShape(positionals, values);
  const seed = values.seed === undefined ? 1 : readInteger("--seed", values.seed);
  const repository = join(import.meta.dirname, "../..");
  const path = values.out ?? join(repository, ".cache/models", modelFileName(shape, seed));
  const onProgress = shape.name.startsWith("large") ? progressOnStandardError() : undefined;

  const made = await makeModel({ path, shape, seed, ...(onProgress && { onProgress }) });
  if (values.json) {
    process.stdout.write(`${JSON.stringify(made)}\n`);
    return;
  }
  const shown = relative(process.cwd(), made.path);
  const megabytes = (made.bytes / 1e6).toFixed(1);
  const verb = made.wasThere ? "is there already" : "made";
  process.stdout.write(`${shown}: ${verb}, ${megabytes} MB, sha256 ${made.sha256}\n`);
}

function parseOptions(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (cause) {
    throw new MakeModelError("ERR_OPTION", cause instanceof Error ? cause.message : String(cause), {
      cause,
    });
  }
}

function chooseShape(
  positionals: readonly string[],
  values: { readonly "size-mb"?: string | undefined; readonly period?: string | undefined },
): Shape {
  const { "size-mb": sizeMb, period } = values;
  const name = positionals.length === 1 ? positionals[0] : undefined;
  if (sizeMb !== undefined && name !== "large") {
    throw new MakeModelError("ERR_OPTION", "--size-mb goes with large only");
  }
  if (period !== undefined && name !== "echo") {
    throw new MakeModelError("ERR_OPTION", "--period goes with echo only");
  }
  switch (name) {
    case "tiny":
      return shapes.tiny();
    case "large":
      return shapes.large(sizeMb === undefined ? {} : { sizeMb: readInteger("--size-mb", sizeMb) });
    case "echo":
      return shapes.echo(
        period === undefined ? {} : { periodTokens: readInteger("--period", period) },
      );
    default:
      throw new MakeModelError(
        "ERR_OPTION",
        "name one shape: tiny, large or echo (--help says more)",
      );
  }
}

/** `Number` alone would take "" for 0 and "1e3" for 1000. */
function readInteger(option: string, untrusted: string): number {
  if (/^[0-9]{1,10}$/.test(untrusted)) return Number(untrusted);
  throw new MakeModelError("ERR_OPTION", `${option} takes a whole number, not "${untrusted}"`);
}

/** One line for each tenth written. */
function progressOnStandardError(): (writtenBytes: number, totalBytes: number) => void {
  let tenthsShown = 0;
  return (writtenBytes, totalBytes) => {
    const tenths = Math.floor((writtenBytes / totalBytes) * 10);
    if (tenths === tenthsShown) return;
    tenthsShown = tenths;
    process.stderr.write(`make-model: ${tenths * 10} % of ${Math.round(totalBytes / 1e6)} MB\n`);
  };
}
