/**
 * The release from before, which is kept beside the one that runs. Which one it is was said when it was asked for, so that
 * a run that was cut off and begun again does not go back and forth.
 *
 * @module
 */
import { readlinkSync } from "node:fs";
import { CURRENT_DIR, INSTALL_DIR, StepError, type Machine } from "../machine.ts";
import type { Step } from "../step.ts";
import { runInstaller } from "./release.ts";

export const rollback: Step = {
  name: "rollback",
  probe: ({ machine, order }) =>
    versionAt(machine, CURRENT_DIR) === order.rollbackTo &&
    versionAt(machine, `${INSTALL_DIR}/proven`) === order.rollbackTo,
  async apply(context) {
    const { rollbackTo } = context.order;
    if (rollbackTo === undefined) throw new StepError("nobody said to which release");
    await runInstaller(context, `${INSTALL_DIR}/proven`, "rollback", "--to", rollbackTo);
  },
  list: () => [],
  undo: () => undefined,
};

function versionAt(machine: Machine, link: string): string | undefined {
  try {
    return readlinkSync(machine.path(link)).split("/").at(-1);
  } catch {
    return undefined;
  }
}
