/**
 * The release, put in place by its own installer, which hashes the bundle again before it believes a byte of it.
 *
 * @module
 */
import { readlinkSync, renameSync } from "node:fs";
import { CURRENT_DIR, INSTALL_DIR, SETUP_DIR, StepError } from "../machine.ts";
import type { Context, Step } from "../step.ts";

export const BUNDLE_FILE = "bundle.tar.gz";

const BUNDLE = `${SETUP_DIR}/${BUNDLE_FILE}`;
/** An update as it was sent: metadata, targets, an admin's approval. */
const UPDATE_DIR = `${SETUP_DIR}/update`;
const APPROVAL = `${UPDATE_DIR}/update.approval`;

export const release: Step = {
  name: "release",
  probe({ machine, order }) {
    const installed = machine.read(`${CURRENT_DIR}/bundle.sha256`)?.trim();
    if (installed === undefined) return false;
    // Another one is an update, which an admin approves and the installed installer verifies.
    if (installed !== order.sha256 && !machine.has(APPROVAL))
      throw new StepError("another release is installed: this is no update");
    if (installed !== order.sha256) return false;
    return machine.has(`${INSTALL_DIR}/proven`);
  },
  async apply(context) {
    const { machine, order, programsDir } = context;
    if (!machine.has(`${CURRENT_DIR}/bundle.sha256`))
      return runInstaller(
        context,
        programsDir,
        "first",
        "--bundle",
        machine.path(BUNDLE),
        "--sha256",
        order.sha256,
      );
    // Where the installer looks; it takes a copy of its own.
    if (machine.has(BUNDLE))
      renameSync(machine.path(BUNDLE), machine.path(`${UPDATE_DIR}/bundle.tar.gz`));
    const from = machine.path(UPDATE_DIR);
    await runInstaller(context, `${INSTALL_DIR}/proven`, "update", "--from", from);
    machine.remove(UPDATE_DIR);
  },
  list: ({ machine }) =>
    machine.has(INSTALL_DIR) ? [`${INSTALL_DIR}: ${currentOf({ machine })}`] : [],
  undo: ({ machine }) => machine.remove(INSTALL_DIR),
};

/**
 * One run of a release's installer.
 *
 * @throws {@link StepError} with its advice
 */
export async function runInstaller(
  { machine }: Context,
  releaseDir: string,
  ...args: string[]
): Promise<void> {
  // The staged programs are named as they lie, the installed ones as they do on a server.
  const dir = releaseDir.startsWith(INSTALL_DIR) ? machine.path(releaseDir) : releaseDir;
  const root = machine.isLive ? [] : ["--root", machine.root];
  const said = await machine
    .run(`${dir}/bin/node`, `${dir}/apps/node/installer/main.js`, ...args, ...root)
    .catch((error: unknown) => {
      throw new StepError(adviceIn(error));
    });
  if (!said.includes('"version"')) throw new StepError("the installer said nothing");
}

/** The installer prints one line of JSON. */
function adviceIn(error: unknown): string {
  const { message } = error as Error;
  const [, code, advice] =
    /"error":"(ERR_[A-Z_]{1,40})","advice":"([^"]{1,200})/.exec(message) ?? [];
  return code === undefined ? message : `${code}: ${advice}`;
}

function currentOf({ machine }: Pick<Context, "machine">): string {
  try {
    return `release ${readlinkSync(machine.path(CURRENT_DIR)).split("/").at(-1)}`;
  } catch {
    return "an unfinished release";
  }
}
