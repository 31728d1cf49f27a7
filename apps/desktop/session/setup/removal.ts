/**
 * Takes a set-up back from a server: whole, half, or only what was sent for it.
 *
 * @module
 */
import {
  listRemovals,
  ProvisionError,
  removeSetUpFolder,
  takeAway,
  type RootShell,
  type SetUpEvent,
} from "@phantoma/provision";

const FOLDER_ONLY = "/var/lib/phantoma-setup: what was sent; no step was begun";

/** What would be removed; the server's words. */
export async function removalsOn(shell: RootShell): Promise<string[]> {
  try {
    return [...(await listRemovals(shell))];
  } catch (error) {
    if (!(error instanceof ProvisionError) || error.code !== "ERR_NOT_INSTALLED") throw error;
    return [FOLDER_ONLY];
  }
}

export async function remove(
  removals: readonly string[],
  connect: () => Promise<RootShell>,
  hear: (event: SetUpEvent) => void,
): Promise<void> {
  if (removals[0] !== FOLDER_ONLY) return takeAway(connect, hear);
  const shell = await connect();
  await removeSetUpFolder(shell).finally(() => shell.close());
}
