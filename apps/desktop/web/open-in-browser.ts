/**
 * Opens the console's own link in the person's browser, where this machine has a way to.
 *
 * @module
 */
import { spawn } from "node:child_process";

const openers: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
  linux: ["xdg-open"],
  darwin: ["open"],
  win32: ["rundll32", "url.dll,FileProtocolHandler"],
};

/** Never fails: the link is printed as well. */
export function openInBrowser(link: string): void {
  const [program, ...args] = openers[process.platform] ?? [];
  if (!program) return;
  const child = spawn(program, [...args, link], { stdio: "ignore", detached: true });
  child.on("error", () => undefined);
  child.unref();
}
