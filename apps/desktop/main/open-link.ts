/**
 * The only way out to another program: asks the person, then hands an address to the system.
 *
 * @module
 */
import { dialog, shell, type BrowserWindow } from "electron";
import { DesktopError } from "../session/desktop-error.ts";
import { readLink } from "./link-rules.ts";

/** @throws {@link DesktopError} `ERR_LINK_REFUSED` */
export async function openLink(untrusted: string, window: BrowserWindow | null): Promise<boolean> {
  const link = readLink(untrusted);
  if (!link) throw new DesktopError("ERR_LINK_REFUSED", "only https and mail addresses are opened");
  const question = {
    type: "question",
    message: `Open ${link.target} outside Phantoma?`,
    detail: `${link.url}\n\nWhoever runs that address learns that you opened it.`,
    buttons: ["Cancel", "Open"],
    defaultId: 0,
    cancelId: 0,
    noLink: true,
  } as const;
  const options = { ...question, buttons: [...question.buttons] };
  const { response } = window
    ? await dialog.showMessageBox(window, options)
    : await dialog.showMessageBox(options);
  if (response !== 1) return false;
  await shell.openExternal(link.url);
  return true;
}
