/**
 * What a release refuses to be started with. This file decides; `main.ts` ends.
 *
 * @module
 */

/** Switches of Chromium and Node that open the program to others or take its walls away. */
const refusedSwitches = [
  "no-sandbox",
  "disable-gpu-sandbox",
  "disable-setuid-sandbox",
  "disable-web-security",
  "disable-site-isolation-trials",
  "inspect",
  "inspect-brk",
  "inspect-port",
  "remote-debugging-port",
  "remote-debugging-pipe",
  "remote-allow-origins",
  "js-flags",
  "load-extension",
  "proxy-server",
  "host-rules",
  "ignore-certificate-errors",
  "user-data-dir",
] as const;

/** The switch that stands in the way; `undefined` where there is none, and in development. */
export function startRefusal(argv: readonly string[], isRelease: boolean): string | undefined {
  if (!isRelease) return undefined;
  const given = argv.map((argument) => /^--?([\w-]+)/.exec(argument)?.[1]?.toLowerCase());
  return refusedSwitches.find((name) => given.includes(name));
}
