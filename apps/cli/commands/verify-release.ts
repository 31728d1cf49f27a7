/**
 * phantoma verify FILE: whether a file is a release, who signed it, and how many were needed. It needs no node and no
 * network: the signed lists lie beside the file.
 *
 * @module
 */
import {
  readRequest,
  refusalText,
  ReleaseError,
  reportText,
  verifyRelease as verifyFile,
  type ReleaseReport,
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

export const verifyRelease: Command = {
  usage: "verify FILE [--release DIR] [--anchor FILE] [--installed VERSION] [--name NAME]",
  summary: "checks a release: quorum, freshness, origin, parts; DIR has metadata/ and targets/",
  async run(args) {
    const { values, positionals } = parse(args, options);
    const [filePath, ...more] = positionals;
    if (!filePath || more.length > 0) throw new UsageError("verify wants one file");
    try {
      const { releasesDir: stateDir } = new Home(values.home);
      const { release: releaseDir, anchor: anchorPath } = values;
      const report = await verifyFile({
        ...(await readRequest({ filePath, releaseDir, anchorPath, stateDir })),
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

function jsonOf({ record, kind, quorums, builtBy, checks }: ReleaseReport): object {
  const { name, version, sha256, length } = record;
  return { release: { name, version, kind, sha256, length }, quorums, builtBy, checks };
}
