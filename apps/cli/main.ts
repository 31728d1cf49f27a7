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
import type { Command } from "./command.ts";
import { fail, isAdvised, printError, UsageError } from "./output.ts";

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

if (name === "help" || name === "--help") {
  process.stdout.write(`${usage()}\n`);
} else if (!Object.hasOwn(commands, name)) {
  fail(`there is no command ${JSON.stringify(name)}\n\n${usage()}`, 2);
} else {
  try {
    process.exitCode = await commands[name as keyof typeof commands].run(args);
  } catch (error) {
    process.exitCode = error instanceof UsageError ? 2 : 1;
    if (!(isAdvised(error) || error instanceof UsageError)) throw error;
    printError(error, isJson);
  }
}

function usage(): string {
  const lines = Object.values(commands).map(
    ({ usage: text, summary }) => `  ${text}\n      ${summary}`,
  );
  return `phantoma: private inference on a server you own\n\n${lines.join("\n")}\n\nEvery command takes --json and --home DIR (default: ~/.config/phantoma).`;
}
