/**
 * Turns a bundle that was verified into a tree on the disk: what its manifest lists, nothing else, nowhere else.
 *
 * @module
 */
import { join } from "node:path";
import type { Disk } from "./disk.ts";
import { InstallError } from "./install-error.ts";
import {
  checkTree,
  MANIFEST_FILE,
  MAX_MANIFEST_BYTES,
  modeOf,
  parseManifest,
  type Manifest,
} from "./manifest.ts";
import { readTarGz, type TarEntry } from "./read-tar.ts";

/**
 * @param dir must not be there yet
 * @param see is shown every byte of the bundle, as it is read for unpacking
 * @throws {@link InstallError} `ERR_TAR`, `ERR_MANIFEST`, `ERR_TREE` or `ERR_PLATFORM`; what is there by then is left
 * to the caller
 */
export async function unpack(
  disk: Disk,
  bundlePath: string,
  dir: string,
  arch: string = process.arch,
  see?: (bytes: Buffer) => void,
): Promise<Manifest> {
  let manifest: Manifest | undefined;
  let expected: Manifest["files"] = [];
  const folders = new Set([dir]);
  disk.makeDir(dir);
  for await (const entry of readTarGz(bundlePath, see)) {
    if (!manifest) {
      const text = await readManifest(entry);
      manifest = parseManifest(text);
      expected = [...manifest.files];
      if (manifest.arch !== arch) throw new InstallError("ERR_PLATFORM", { about: manifest.arch });
      await disk.writeNew(join(dir, MANIFEST_FILE), [Buffer.from(text)], modeOf(entry));
      continue;
    }
    const file = expected.shift();
    if (file?.path !== entry.path || file.size !== entry.size)
      throw new InstallError("ERR_TREE", { about: entry.path });
    const parts = entry.path.split("/").slice(0, -1);
    for (const index of parts.keys()) {
      const folder = join(dir, ...parts.slice(0, index + 1));
      if (!folders.has(folder)) disk.makeDir(folder);
      folders.add(folder);
    }
    await disk.writeNew(join(dir, entry.path), entry.content, modeOf(file));
  }
  if (!manifest) throw new InstallError("ERR_TAR", { about: "nothing in it" });
  // Reads back what was written; names a file that the archive did not have.
  await checkTree(dir, manifest);
  for (const folder of folders) disk.flushDir(folder);
  return manifest;
}

async function readManifest({ path, size, content, isExecutable }: TarEntry): Promise<string> {
  if (path !== MANIFEST_FILE || size > MAX_MANIFEST_BYTES || isExecutable)
    throw new InstallError("ERR_MANIFEST");
  const parts: Buffer[] = [];
  for await (const part of content) parts.push(part);
  return Buffer.concat(parts).toString("utf8");
}
