/**
 * phantoma: the whole product without a window.
 *
 *   phantoma COMMAND [OPTION ...] [TEXT]
 *
 * @module
 */
import { ask } from "./commands/ask.ts";
import { chat } from "./commands/chat.ts";
import { demo } from "./commands/demo.ts";
import { devices } from "./commands/devices.ts";
import { doctor } from "./commands/doctor.ts";
import { egress } from "./commands/egress.ts";
import { models } from "./commands/models.ts";
import { node } from "./commands/node.ts";
import { provision } from "./commands/provision.ts";
import { recovery } from "./commands/recovery.ts";
import { report } from "./commands/report.ts";
import { receipts } from "./commands/receipts.ts";
import { serve } from "./commands/serve.ts";
import { start } from "./commands/start.ts";
import { status } from "./commands/status.ts";
import { update } from "./commands/update.ts";
import { vault } from "./commands/vault.ts";
import { verify } from "./commands/verify.ts";
import { window } from "./commands/window.ts";
import { readFileSync } from "node:fs";
import type { Command } from "./command.ts";
import { samplingHelp } from "./options.ts";
import { fail, isAdvised, notice, printError, UsageError } from "./output.ts";
import { windowHelp } from "./window-proposal.ts";

const commands = {
  ask,
  chat,
  serve,
  status,
  doctor,
  models,
  window,
  egress,
  receipts,
  report,
  update,
  verify,
  devices,
  vault,
  recovery,
  node,
  provision,
  demo,
  start,
} as const satisfies Record<string, Command>;

const [name = "help", ...args] = process.argv.slice(2);
const isJson = args.includes("--json");
/** What comes after `--` is text, whatever it looks like. */
const options = args.slice(0, args.includes("--") ? args.indexOf("--") : args.length);
const wantsHelp = options.includes("--help") || options.includes("-h");

if (["help", "--help", "-h"].includes(name)) {
  const [about] = args;
  if (about === undefined) process.stdout.write(`${usage()}\n`);
  else withCommand(about, (command) => process.stdout.write(`${helpOf(command)}\n`));
} else if (name === "--version") {
  const path = new URL("../../package.json", import.meta.url);
  process.stdout.write(`${JSON.parse(readFileSync(path, "utf8")).version}\n`);
} else if (wantsHelp) {
  withCommand(name, (command) => process.stdout.write(`${helpOf(command)}\n`));
} else {
  await withCommand(name, run);
}

function withCommand<T>(asked: string, use: (command: Command) => T): T | undefined {
  if (Object.hasOwn(commands, asked)) return use(commands[asked as keyof typeof commands]);
  fail(`there is no command ${JSON.stringify(asked)}: phantoma help lists them`, 2);
  return undefined;
}

async function run(command: Command): Promise<void> {
  try {
    process.exitCode = await command.run(args);
  } catch (error) {
    process.exitCode = error instanceof UsageError ? 2 : 1;
    if (!(isAdvised(error) || error instanceof UsageError)) throw error;
    printError(error, isJson);
    if (error instanceof UsageError) notice(`  see: phantoma ${name} --help`);
  }
}

/** What each is for, in the words before its first stop; the rest is in its own help. */
function usage(): string {
  const lines = Object.entries(commands).map(
    ([called, { summary }]) => `  ${called.padEnd(10)} ${summary.split(/[;\n]/)[0]}`,
  );
  return [
    "phantoma: private inference on a server you own",
    lines.join("\n"),
    "`phantoma COMMAND --help` has a command's options. `phantoma ask -` reads the question from standard input:\nother users of this machine can see a command line.",
  ].join("\n\n");
}

function helpOf({ usage: text, summary }: Command): string {
  return `${summary}\n\nphantoma ${text}\n\n${legend(text)}`;
}

/** The options that several commands share, for those that are named in `text`. */
function legend(text: string): string {
  const some = [
    ["sampling options", samplingHelp],
    ["window options", windowHelp],
  ] as const;
  return [
    ...some.filter(([called]) => text.includes(called)).map(([called, all]) => `${called}: ${all}`),
    "Every command takes --json, --help and --home DIR (default: ~/.config/phantoma).",
  ].join("\n");
}
