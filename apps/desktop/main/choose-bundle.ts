/**
 * A release on this machine, named by a person in the system's own dialog: the page has no say in it.
 *
 * @module
 */
import { dialog, type BrowserWindow } from "electron";

export async function chooseBundle(window: BrowserWindow | null): Promise<string | undefined> {
  const options = {
    title: "Choose a release: phantoma-node-….tar.gz",
    filters: [{ name: "Phantoma node", extensions: ["tar.gz", "gz"] }],
    properties: ["openFile" as const],
  };
  const { canceled, filePaths } = window
    ? await dialog.showOpenDialog(window, options)
    : await dialog.showOpenDialog(options);
  return canceled ? undefined : filePaths[0];
}
