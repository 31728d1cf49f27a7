/**
 * The system call filters of a unit, read from its unit file, for `attempts` to put on where there is no systemd.
 *
 * What PID 1 does besides (file systems, users, devices) is not imitated here: the guest run has the real thing.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The numbers are Linux's. */
const FAMILIES: Readonly<Record<string, number>> = {
  AF_UNIX: 1,
  AF_INET: 2,
  AF_INET6: 10,
  AF_NETLINK: 16,
};

/** @returns the file's text for confine.c, or why there is none */
export function confinementOf(unitsDir: string, unit: string): { text: string } | { why: string } {
  const path = [`phantoma-${unit}@.service`, `phantoma-${unit}.service`]
    .map((name) => join(unitsDir, name))
    .find((path) => existsSync(path));
  if (!path) return { why: `no unit file for ${unit}` };
  const settings = readSettings(readFileSync(path, "utf8"));
  const expand = systemCallSets();
  if (!expand) return { why: "systemd-analyze is not installed" };
  const families = settings.families.map((name) => FAMILIES[name]);
  if (families.includes(undefined)) return { why: `a family of ${path} is not known here` };
  return {
    text: [
      ...families.map((number) => `family ${number}`),
      ...allowedCalls(settings.filters, expand).map((name) => `call ${name}`),
      "",
    ].join("\n"),
  };
}

export function readSettings(unitFile: string): { families: string[]; filters: string[] } {
  const values = (name: string): string[] =>
    [...unitFile.matchAll(new RegExp(`^${name}=(.*)$`, "gm"))].map((match) => match[1]!);
  return {
    families: values("RestrictAddressFamilies").flatMap((value) =>
      value.split(" ").filter(Boolean),
    ),
    filters: values("SystemCallFilter"),
  };
}

/** Applies lines of SystemCallFilter in their order: the first is what may be called, "~" takes away again. */
export function allowedCalls(
  filters: readonly string[],
  expand: (set: string) => readonly string[],
): string[] {
  const allowed = new Set<string>(filters.length > 0 ? expand("@default") : []);
  for (const filter of filters) {
    const isTaken = filter.startsWith("~");
    for (const word of filter.replace("~", "").split(" ").filter(Boolean))
      for (const name of word.startsWith("@") ? expand(word) : [word])
        if (isTaken) allowed.delete(name);
        else allowed.add(name);
  }
  return [...allowed];
}

/** The sets of system calls of the installed systemd; they hold each other. */
function systemCallSets(): ((set: string) => readonly string[]) | undefined {
  const listing = spawnSync("systemd-analyze", ["syscall-filter"], { encoding: "utf8" });
  if (listing.status !== 0) return undefined;
  const sets = new Map<string, string[]>();
  let members: string[] = [];
  for (const line of listing.stdout.split("\n")) {
    if (/^@\S+$/.test(line)) sets.set(line, (members = []));
    else if (/^ {4}[@a-z]\S*$/.test(line)) members.push(line.trim());
  }
  const expand = (set: string): string[] =>
    (sets.get(set) ?? []).flatMap((name) => (name.startsWith("@") ? expand(name) : [name]));
  return expand;
}
