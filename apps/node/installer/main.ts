/**
 * The installer: root, one run, no network. It puts a release beside the one that runs, and lets it run if it proves
 * itself.
 *
 *   main.ts recover                      finishes what a power cut interrupted; at every boot
 *   main.ts update                       what DIR/updates holds, after recovering: bundle.tar.gz, metadata, approval
 *   main.ts update --from DIR            what root was given over SSH, laid out the same
 *   main.ts rollback --to VERSION        a release that is kept from before; as root says
 *   main.ts first --bundle F --sha256 H  on a machine without a release; whoever calls it has verified the bundle
 *
 *   --root DIR   another root folder than /, without systemd
 *
 * Prints one line of JSON: {"version": …} or {"error": CODE, "advice": …}.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { InstallError } from "./install-error.ts";
import { openInstaller, type RunOptions } from "./run.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    root: { type: "string" },
    bundle: { type: "string" },
    sha256: { type: "string" },
    from: { type: "string" },
    to: { type: "string" },
  },
});

try {
  const options: RunOptions = values.root === undefined ? {} : { root: values.root };
  print({ version: (await run(options)) ?? null });
} catch (error) {
  const isOurs = error instanceof InstallError;
  const advice = error instanceof Error ? error.message : String(error);
  print({ error: isOurs ? error.code : "ERR_UNEXPECTED", advice });
  process.exitCode = 1;
}

async function run(options: RunOptions): Promise<string | undefined> {
  const installer = openInstaller(options);
  const { bundle, sha256 } = values;
  switch (positionals[0]) {
    case "recover":
      return installer.recover();
    case "update":
      return installer.update(values.from);
    case "rollback":
      if (values.to === undefined) break;
      return installer.rollback(values.to);
    case "first":
      if (bundle === undefined || !/^[0-9a-f]{64}$/.test(sha256 ?? "")) break;
      return installer.first(bundle, sha256!);
    default:
  }
  throw new InstallError("ERR_ARGUMENTS");
}

function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
