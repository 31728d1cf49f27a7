/**
 * npm run release: the ceremony by which people release together what no one can release alone.
 *
 *   main.ts COMMAND [DIR] [OPTION ...]
 *
 * docs/releasing.md tells it in order.
 *
 * @module
 */
import type { CeremonyCommand } from "./command.ts";
import * as keyCommands from "./key-commands.ts";
import { readOptions, UsageError } from "./options.ts";
import * as releaseCommands from "./release-commands.ts";

/** In the order in which they are used. */
const commands: Readonly<Record<string, CeremonyCommand>> = {
  keygen: keyCommands.keygen,
  init: keyCommands.init,
  licences: keyCommands.licences,
  propose: releaseCommands.propose,
  sign: releaseCommands.sign,
  merge: releaseCommands.merge,
  publish: releaseCommands.publish,
  verify: releaseCommands.verify,
  refresh: releaseCommands.refresh,
  rotate: keyCommands.rotate,
  revoke: keyCommands.revoke,
  development: releaseCommands.development,
};
const [name = "help", ...args] = process.argv.slice(2);

if (!Object.hasOwn(commands, name)) {
  process.stderr.write(`${usage()}\n`);
  process.exitCode = name === "help" || name === "--help" ? 0 : 2;
} else {
  try {
    const { values, positionals } = readOptions(args);
    const [dir, ...files] = positionals;
    if (dir === undefined && name !== "keygen") throw new UsageError("name the ceremony's folder");
    const say = (text: string): void => void process.stdout.write(`${text}\n`);
    await commands[name]!.run({ values, dir: dir ?? "", files, say });
  } catch (error) {
    // A person reads it: the message is all there is to say, and a secret is in none.
    process.stderr.write(`release: ${(error as Error).message}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
  process.stdin.destroy();
}

function usage(): string {
  const lines = Object.values(commands).map(
    ({ usage: text, summary }) => `  ${text}\n      ${summary}`,
  );
  return `release: a ceremony for several people\n\n${lines.join("\n")}`;
}
