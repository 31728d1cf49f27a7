/**
 * One setting of systemd's, as its daemons find it: the file, then what is dropped in beside it.
 *
 * Source: systemd-system.conf(5), "Configuration directories and precedence".
 *
 * @module
 */
import type { HostFiles } from "./host-files.ts";

/** A name in an earlier folder hides the same name in a later one. */
const FOLDERS = [
  "/etc/systemd",
  "/run/systemd",
  "/usr/local/lib/systemd",
  "/usr/lib/systemd",
] as const;

/**
 * The last value of a setting; `undefined` where nobody sets it.
 *
 * @param file such as `sleep.conf`; the names of settings are unique in the files that are asked for
 */
export function lastSetting(files: HostFiles, file: string, name: string): string | undefined {
  let value: string | undefined;
  for (const path of configurationFiles(files, file))
    for (const line of (files.readIfThere(path) ?? "").split("\n")) {
      const [, key, rest = ""] = /^\s*(\w+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
      // An empty value takes an earlier one back.
      if (key === name) value = rest || undefined;
    }
  return value;
}

export function isYes(value: string | undefined): boolean {
  return value !== undefined && /^(?:1|yes|y|true|t|on)$/i.test(value);
}

export function isNo(value: string | undefined): boolean {
  return value !== undefined && /^(?:0|no|n|false|f|off)$/i.test(value);
}

function configurationFiles(files: HostFiles, file: string): readonly string[] {
  const main = FOLDERS.map((folder) => `${folder}/${file}`).find(
    (path) => files.readIfThere(path) !== undefined,
  );
  const dropIns = new Map<string, string>();
  for (const folder of FOLDERS.toReversed())
    for (const name of files.list(`${folder}/${file}.d`))
      if (name.endsWith(".conf")) dropIns.set(name, `${folder}/${file}.d/${name}`);
  const inOrder = [...dropIns].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path);
  return main === undefined ? inOrder : [main, ...inOrder];
}
