/**
 * A release as files of this machine: the file itself, its signed lists beside it, and whom to trust.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Anchor, chooseAnchor } from "./anchor.ts";
import { ReleaseError } from "./release-error.ts";
import { readBounded, ReleaseFolder } from "./release-source.ts";
import type { ReleaseRequest } from "./verify-release.ts";

export interface ReleasePaths {
  readonly filePath: string;
  /** Has metadata/ and targets/; found beside the file where it is not named. */
  readonly releaseDir?: string | undefined;
  /** Who may sign; those of this program where it is not named. */
  readonly anchorPath?: string | undefined;
  /** What was seen of releases, so that an older one is refused later. */
  readonly stateDir: string;
}

/** 128 KiB: a root is at most half of it. */
const MAX_ANCHOR_BYTES = 131_072;

/** @throws {@link ReleaseError} `ERR_ANCHOR` */
export async function readRequest(paths: ReleasePaths): Promise<ReleaseRequest> {
  const { filePath, releaseDir, anchorPath, stateDir } = paths;
  return {
    anchor: await readAnchor(anchorPath),
    source: new ReleaseFolder(releaseDir ?? releaseDirOf(filePath)),
    stateDir,
    filePath,
  };
}

/**
 * The build's own; the one in a file where the build has none.
 *
 * @throws {@link ReleaseError} `ERR_ANCHOR`
 */
export async function readAnchor(path: string | undefined): Promise<Anchor> {
  if (path === undefined) return chooseAnchor(undefined);
  const bytes = await readBounded(path, MAX_ANCHOR_BYTES);
  let untrusted: unknown;
  try {
    untrusted = JSON.parse(bytes?.toString("utf8") ?? "");
  } catch {
    throw new ReleaseError("ERR_ANCHOR", `${path} is no anchor`);
  }
  return chooseAnchor(untrusted);
}

/** A file inside a release lies in its targets/; one that was taken out lies beside metadata/. */
export function releaseDirOf(filePath: string): string {
  const dir = dirname(filePath);
  const isInside = basename(dir) === "targets" && existsSync(join(dir, "../metadata"));
  return isInside ? dirname(dir) : dir;
}
