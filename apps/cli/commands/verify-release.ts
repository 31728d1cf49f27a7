/**
 * phantoma verify FILE: whether a file is a release, who signed it, and how many were needed. It needs no node and no
 * network: the signed lists lie beside the file.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import {
  chooseAnchor,
  readBounded,
  refusalText,
  ReleaseError,
  ReleaseFolder,
  reportText,
  verifyRelease as verifyFile,
  type ReleaseReport,
  type ReleaseRequest,
} from "@phantoma/release";
import type { Command } from "../command.ts";
import { Home } from "../home.ts";
import { globalOptions, parse } from "../options.ts";
import { UsageError, write, writeJson } from "../output.ts";

/** Options of every command that verifies one. */
export interface ReleaseValues {
  readonly release?: string | undefined;
  readonly anchor?: string | undefined;
}

const options = {
  ...globalOptions,
  release: { type: "string" },
  anchor: { type: "string" },
  installed: { type: "string" },
  name: { type: "string" },
} as const;

/** 128 KiB: a root is at most half of it. */
const MAX_ANCHOR_BYTES = 131_072;

export const verifyRelease: Command = {
  usage: "verify FILE [--release DIR] [--anchor FILE] [--installed VERSION] [--name NAME]",
  summary: "checks a release: quorum, freshness, origin, parts; DIR has metadata/ and targets/",
  async run(args) {
    const { values, positionals } = parse(args, options);
    const [filePath, ...more] = positionals;
    if (!filePath || more.length > 0) throw new UsageError("verify wants one file");
    try {
      const report = await verifyFile({
        ...(await releaseRequest(new Home(values.home), filePath, values)),
        ...(values.installed === undefined ? {} : { installed: values.installed }),
        ...(values.name === undefined ? {} : { name: values.name }),
      });
      if (values.json) writeJson(jsonOf(report));
      else write(reportText(report));
      return 0;
    } catch (error) {
      if (!(error instanceof ReleaseError)) throw error;
      const { code, message, action, passed } = error;
      if (values.json) writeJson({ error: { code, message, action }, passed });
      else write(refusalText(error));
      return 1;
    }
  },
};

export async function releaseRequest(
  home: Home,
  filePath: string,
  values: ReleaseValues,
): Promise<ReleaseRequest> {
  return {
    anchor: chooseAnchor(await readAnchor(values.anchor)),
    source: new ReleaseFolder(values.release ?? releaseDirOf(filePath)),
    stateDir: home.releasesDir,
    filePath,
  };
}

async function readAnchor(path: string | undefined): Promise<unknown> {
  if (path === undefined) return undefined;
  const bytes = await readBounded(path, MAX_ANCHOR_BYTES);
  try {
    return JSON.parse(bytes?.toString("utf8") ?? "");
  } catch {
    throw new ReleaseError("ERR_ANCHOR", `${path} is no anchor`);
  }
}

/** A file inside a release lies in its targets/; one that was taken out lies beside metadata/. */
export function releaseDirOf(filePath: string): string {
  const dir = dirname(filePath);
  const isInside = basename(dir) === "targets" && existsSync(join(dir, "../metadata"));
  return isInside ? dirname(dir) : dir;
}

function jsonOf({ record, kind, quorums, builtBy, checks }: ReleaseReport): object {
  const { name, version, sha256, length } = record;
  return { release: { name, version, kind, sha256, length }, quorums, builtBy, checks };
}
