/**
 * What a release consists of: every file with its size and SHA-256, in `manifest.json` of the bundle.
 *
 * The bundle's own digest is what people sign; by the manifest an installed tree can be checked again, file by file.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { createReadStream, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { isVersion } from "@phantoma/release";
import { z } from "zod";
import { InstallError } from "./install-error.ts";

export const MANIFEST_FILE = "manifest.json";
/** Written beside the manifest when a release is installed: the digest of the bundle that it came in. */
export const BUNDLE_DIGEST_FILE = "bundle.sha256";

/** A release has about 60 files. */
export const MAX_FILES = 4096;
/** 4 GiB: a release has 200 MB, and one with GPU libraries would have 1 GB. */
export const MAX_TREE_BYTES = 4 * 2 ** 30;
/** 1 MiB: four thousand files with long names have less. */
export const MAX_MANIFEST_BYTES = 2 ** 20;
/** What a tar header holds without an extension. */
export const MAX_PATH_LENGTH = 100;

/** Folders and a name, none of them hidden, so that `..` is none either. */
const PATH = /^(?:[A-Za-z0-9@_][A-Za-z0-9@._-]*\/)*[A-Za-z0-9@_][A-Za-z0-9@._-]*$/;

export const pathSchema = z.string().max(MAX_PATH_LENGTH).regex(PATH);
export const versionSchema = z.string().refine(isVersion);

const fileSchema = z.strictObject({
  path: pathSchema,
  size: z.int().min(0).max(MAX_TREE_BYTES),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  isExecutable: z.boolean(),
});

const manifestSchema = z.strictObject({
  product: z.literal("phantoma-node"),
  version: versionSchema,
  platform: z.literal("linux"),
  arch: z.enum(["x64", "arm64"]),
  /** That it was built for a processor on which nobody ran it. */
  untested: z.literal(true).optional(),
  /** That it was built from; `null`: from a tree with changes, which nobody should sign. */
  commit: z
    .string()
    .regex(/^[0-9a-f]{40}$/)
    .nullable(),
  files: z
    .array(fileSchema)
    .min(1)
    .max(MAX_FILES)
    .refine((files) => new Set(files.map(({ path }) => path)).size === files.length)
    .refine((files) => files.reduce((sum, { size }) => sum + size, 0) <= MAX_TREE_BYTES),
});

export type Manifest = z.infer<typeof manifestSchema>;

/** The file that a release is signed and published under. */
export function bundleName(version: string, arch: string = process.arch): string {
  return `phantoma-node-${version}-linux-${arch}.tar.gz`;
}

/** @throws {@link InstallError} `ERR_MANIFEST` */
export function parseManifest(untrusted: string): Manifest {
  if (untrusted.length > MAX_MANIFEST_BYTES) throw new InstallError("ERR_MANIFEST");
  try {
    return manifestSchema.parse(JSON.parse(untrusted));
  } catch (cause) {
    throw new InstallError("ERR_MANIFEST", { cause });
  }
}

/** The mode of an installed file; root owns it, everybody reads it, nobody writes it. */
export function modeOf({ isExecutable }: { readonly isExecutable: boolean }): number {
  return isExecutable ? 0o755 : 0o644;
}

/**
 * Reads a tree from the disk and compares it with its manifest: every file, and no other.
 *
 * @throws {@link InstallError} `ERR_TREE`, which names the file
 */
export async function checkTree(dir: string, manifest: Manifest): Promise<void> {
  const wanted = new Map(manifest.files.map((file) => [file.path, file]));
  for (const path of filesBelow(dir)) {
    if (path === MANIFEST_FILE || path === BUNDLE_DIGEST_FILE) continue;
    const file = wanted.get(path);
    if (!file) throw new InstallError("ERR_TREE", { about: path });
    const { size, mode } = lstatSync(join(dir, path));
    const isSame =
      size === file.size &&
      (mode & 0o7777) === modeOf(file) &&
      (await sha256Of(join(dir, path))) === file.sha256;
    if (!isSame) throw new InstallError("ERR_TREE", { about: path });
    wanted.delete(path);
  }
  const [missing] = wanted.keys();
  if (missing !== undefined) throw new InstallError("ERR_TREE", { about: missing });
}

export async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** Paths of all files, with `/` between folders; anything that is neither file nor folder counts as one. */
export function filesBelow(dir: string, prefix = ""): string[] {
  return readdirSync(join(dir, prefix), { withFileTypes: true }).flatMap((entry) => {
    const path = prefix ? `${prefix}/${entry.name}` : entry.name;
    return entry.isDirectory() ? filesBelow(dir, path) : [path];
  });
}
