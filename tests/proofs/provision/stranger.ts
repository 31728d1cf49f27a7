/**
 * The same against a machine of somebody's own, over the internet: nothing on it is cut, killed or rebooted but by the
 * set-up itself, and it stays a node unless one asks for the opposite.
 *
 * @module
 */
import { makeBundle } from "../../../tools/bundle/bundle.ts";
import type { Proof } from "../../proof.ts";
import { stepTimes, type Line, type Terminal } from "./terminal.ts";

export interface Stranger {
  readonly host: string;
  readonly dir: string;
  readonly key?: string | undefined;
  readonly "host-key"?: string | undefined;
  readonly bundle?: string | undefined;
  readonly uninstall: boolean;
}

export async function showStranger(
  proof: Proof,
  terminal: Terminal,
  { host, dir, key, bundle, uninstall, ...given }: Stranger,
): Promise<void> {
  const hostKey = given["host-key"];
  if (key === undefined || hostKey === undefined)
    throw new Error(
      "a machine of your own wants --key FILE and --host-key SHA256:…, as its provider shows it",
    );
  const hear = (line: Line): void => {
    if (line.kind !== "upload") proof.say(`    ${JSON.stringify(line)}`);
  };
  const provision = (...flags: string[]) =>
    terminal.run(
      [
        "provision",
        host,
        "--key",
        key,
        "--host-key",
        hostKey,
        "--name",
        "stranger",
        "--yes",
        ...flags,
      ],
      "",
      hear,
    );
  const checked = await provision("--check");
  proof.row({ name: "it is fit to be a node", holds: checked.code === 0, detail: checked.detail });
  if (checked.code !== 0) return;
  const path = bundle ?? (await makeBundle(dir, () => undefined)).path;
  const install = ["--bundle", path, "--unsigned"];
  const made = await provision(...install);
  proof.row({
    name: "it becomes one, and is reached from here",
    holds: made.code === 0,
    detail: made.detail,
  });
  for (const [name, seconds] of stepTimes(made.lines))
    proof.say(`       ${name}: ${seconds.toFixed(1)} s`);
  if (made.code === 0) {
    const asked = await terminal.run([
      "ask",
      "--node",
      "stranger",
      "--max-tokens",
      "40",
      "What is Phantoma?",
    ]);
    proof.row({
      name: "it answers through the tunnel",
      holds: asked.code === 0,
      detail: asked.detail,
    });
    const { lines } = await terminal.run(["doctor", "--node", "stranger"]);
    proof.say(`       wipe grade: ${String(lines[0]?.["grade"])}`);
    const again = await provision(...install);
    const changed = again.lines.filter(({ state, step }) => state === "done" && step !== "drill");
    proof.row({
      name: "a second run changes nothing, and says so",
      holds: again.code === 0 && changed.length === 0,
      detail: again.detail,
    });
  }
  if (!uninstall) return;
  const gone = await provision("--uninstall");
  proof.row({ name: "it is uninstalled again", holds: gone.code === 0, detail: gone.detail });
}
