/**
 * What a draft changes, in words, before anybody signs it; and whether it is what this engineer built.
 *
 * @module
 */
import { basename, join } from "node:path";
import { existsSync, readFileSync, statSync } from "node:fs";
import {
  LICENCE_KEYS_NAME,
  OTHER_TARGETS,
  parseLicenceKeys,
  readRecord,
  readRoles,
  roleNames,
  targetPath,
} from "@phantoma/release";
import type { Metadata, Root } from "@tufjs/models";
import type { Ceremony } from "./ceremony.ts";
import { digest, type listed as Listing, listed } from "./propose.ts";

type Say = (text: string) => void;
type Files = ReturnType<typeof Listing>;

/** @throws {Error} when a file in the folder, or the bundle that the engineer built, is not what would be signed */
export async function showDrafts(
  ceremony: Ceremony,
  builtPath: string | undefined,
  say: Say,
): Promise<void> {
  const root = ceremony.draft("root");
  if (root !== undefined) showRoot(root, ceremony.publishedRoot, say);
  const targets = ceremony.draft("targets");
  if (targets === undefined) return;
  say(`targets ${targets.signed.version}, until ${targets.signed.expires}`);
  const published = ceremony.newestVersion("targets") === 0 ? undefined : ceremony.targets;
  const before = published === undefined ? [] : listed(published);
  const after = listed(targets);
  const isIn = (files: Files, { name, sha256 }: Files[number]) =>
    files.some((file) => file.name === name && file.sha256 === sha256);
  for (const file of before) if (!isIn(after, file)) say(`  - ${file.name}`);
  for (const file of after.filter((file) => !isIn(before, file))) {
    say(`  + ${file.name}, ${file.length} bytes, SHA-256 ${file.sha256}`);
    await demandFile(pathOf(ceremony, file), file, say);
    if (file.name === LICENCE_KEYS_NAME)
      for (const key of parseLicenceKeys(readFileSync(pathOf(ceremony, file))))
        say(`    licences are signed by ${key}`);
    if (OTHER_TARGETS.includes(file.name)) continue;
    const { version, minFrom, builds, sbom, provenance } = readRecord(targets.signed, file.name);
    say(`    version ${version}, from ${minFrom} on, ${builds} build(s) compared`);
    for (const attached of [sbom.cyclonedx, sbom.spdx, ...provenance])
      await demandFile(pathOf(ceremony, attached), attached, say);
    if (builtPath === undefined) say("    NOT compared with a build of your own: give --bundle");
    else if (basename(builtPath) === file.name) await demandFile(builtPath, file, say);
  }
}

function pathOf(ceremony: Ceremony, file: Files[number]): string {
  return join(ceremony.dir, "repository", targetPath(file));
}

function showRoot(root: Metadata<Root>, before: Metadata<Root> | undefined, say: Say): void {
  say(`root ${root.signed.version}, until ${root.signed.expires}`);
  const roles = readRoles(root.signed);
  const old = before === undefined ? undefined : readRoles(before.signed);
  for (const name of roleNames) {
    const { threshold, keys } = roles.role(name);
    say(`  ${name}: ${threshold} of ${keys.length}`);
    const known = old?.role(name).keys ?? [];
    for (const { id, person } of keys)
      say(
        `    ${known.some((key) => key.id === id) ? " " : "+"} ${person}, key ${id.slice(0, 16)}`,
      );
    for (const { id, person } of known)
      if (!keys.some((key) => key.id === id)) say(`    - ${person}, key ${id.slice(0, 16)}`);
  }
}

async function demandFile(
  path: string,
  {
    name,
    length,
    sha256,
  }: { readonly name: string; readonly length: number; readonly sha256: string },
  say: Say,
): Promise<void> {
  if (!existsSync(path)) return say(`    NOT compared: ${name} is not here`);
  if (statSync(path).size !== length || (await digest(path)) !== sha256)
    throw new Error(`${path} is not the file that would be signed`);
  say(`    compared: ${path}`);
}
