/**
 * The release, put in place by its own installer, which hashes the bundle again before it believes a byte of it.
 *
 * @module
 */
import { readlinkSync } from "node:fs";
import { CURRENT_DIR, INSTALL_DIR, SETUP_DIR, StepError } from "../machine.ts";
import type { Context, Step } from "../step.ts";

export const BUNDLE_FILE = "bundle.tar.gz";

export const release: Step = {
  name: "release",
  probe({ machine, order }) {
    const installed = machine.read(`${CURRENT_DIR}/bundle.sha256`)?.trim();
    if (installed === undefined) return false;
    // Another one is an update, which an admin approves and the installed installer verifies.
    if (installed !== order.sha256)
      throw new StepError("another release is installed: this is no update");
    return machine.has(`${INSTALL_DIR}/proven`);
  },
  async apply({ machine, order, programsDir }) {
    const said = await machine
      .run(
        `${programsDir}/bin/node`,
        `${programsDir}/apps/node/installer/main.js`,
        "first",
        "--bundle",
        machine.path(`${SETUP_DIR}/${BUNDLE_FILE}`),
        "--sha256",
        order.sha256,
        ...(machine.isLive ? [] : ["--root", machine.root]),
      )
      .catch((error: unknown) => {
        throw new StepError(adviceIn(error));
      });
    if (!said.includes('"version"')) throw new StepError("the installer said nothing");
  },
  list: ({ machine }) =>
    machine.has(INSTALL_DIR) ? [`${INSTALL_DIR}: ${currentOf({ machine })}`] : [],
  undo: ({ machine }) => machine.remove(INSTALL_DIR),
};

/** The installer prints one line of JSON. */
function adviceIn(error: unknown): string {
  const { message } = error as Error;
  return /"advice":"([^"]{1,200})/.exec(message)?.[1] ?? message;
}

function currentOf({ machine }: Pick<Context, "machine">): string {
  try {
    return `release ${readlinkSync(machine.path(CURRENT_DIR)).split("/").at(-1)}`;
  } catch {
    return "an unfinished release";
  }
}
