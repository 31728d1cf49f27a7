/**
 * The commands about a release, in the order in which they are used.
 *
 * @module
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { reportText } from "@phantoma/release";
import { buildTwice, extractParts } from "./build-twice.ts";
import { Ceremony } from "./ceremony.ts";
import { type CeremonyCommand, openKey, sayQuorums } from "./command.ts";
import { type Draft, DevelopmentTeam } from "./development/team.ts";
import { need, UsageError, type Values } from "./options.ts";
import { askPassphrase } from "./passphrase.ts";
import { propose as draftRelease } from "./propose.ts";
import {
  publish as publishDrafts,
  refresh as refreshTimestamp,
  verifyPublished,
} from "./publish.ts";
import { showDrafts } from "./show-drafts.ts";
import { json } from "./signing-key.ts";

export const propose: CeremonyCommand = {
  usage:
    "propose DIR --version V --min-from V --provenance FILE ... [--bundle FILE] [--cyclonedx FILE] [--spdx FILE] [--arch x64|arm64]",
  summary:
    "drafts a release; without a file it builds twice and compares, and takes the lists of parts out of the bundle",
  async run({ values, dir, say }) {
    const provenancePaths = need(values, "provenance");
    await withDraft(values, async (draft) =>
      draftRelease(new Ceremony(dir), { ...draft, provenancePaths }, Date.now()),
    );
    sayQuorums(new Ceremony(dir), say);
  },
};

export const sign: CeremonyCommand = {
  usage: "sign DIR --key FILE.key [--bundle FILE] [--yes]",
  summary:
    "shows what is new, compares it with the bundle you built yourself, and writes your signatures",
  async run({ values, dir, say }) {
    const ceremony = new Ceremony(dir);
    await showDrafts(ceremony, values.bundle, say);
    if (!values.yes && (await askPassphrase("type yes to sign exactly this")) !== "yes")
      throw new Error("nothing was signed");
    const key = await openKey(need(values, "key"));
    const signatures = ceremony.sign(key);
    if (signatures.length === 0) throw new Error(`${key.person} may sign nothing of this draft`);
    for (const signature of signatures) {
      const name = `${signature.role}-${signature.version}.${key.keyid.slice(0, 16)}.sig.json`;
      const path = join(values.out ?? dir, name);
      writeFileSync(path, json(signature));
      say(
        `${key.person} signed ${signature.role} ${signature.version}: give ${path} to whoever merges`,
      );
    }
  },
};

export const merge: CeremonyCommand = {
  usage: "merge DIR FILE.sig.json ...",
  summary: "takes the engineers' signatures into the draft, each checked, and says who is missing",
  async run({ dir, files, say }) {
    const ceremony = new Ceremony(dir);
    if (files.length === 0) throw new UsageError("name signature files");
    for (const path of files) ceremony.merge(JSON.parse(readFileSync(path, "utf8")));
    sayQuorums(ceremony, say);
  },
};

export const publish: CeremonyCommand = {
  usage: "publish DIR --snapshot-key FILE.key --timestamp-key FILE.key",
  summary: "verifies what has its quorum as every machine will, and puts it into DIR/repository",
  async run({ values, dir, say }) {
    const snapshot = await openKey(need(values, "snapshot-key"));
    const timestamp = await openKey(need(values, "timestamp-key"));
    const reports = await publishDrafts(new Ceremony(dir), { snapshot, timestamp }, Date.now());
    for (const report of reports) say(reportText(report));
    say(`published: DIR/repository goes to the mirrors; builds take DIR/anchor.json`);
  },
};

export const refresh: CeremonyCommand = {
  usage: "refresh DIR --timestamp-key FILE.key",
  summary: "vouches for what is published, one more day",
  async run({ values, dir, say }) {
    refreshTimestamp(new Ceremony(dir), await openKey(need(values, "timestamp-key")), Date.now());
    say("vouched for 24 hours");
  },
};

export const verify: CeremonyCommand = {
  usage: "verify DIR",
  summary: "verifies every release in DIR/repository with DIR/anchor.json, as every machine does",
  async run({ dir, say }) {
    for (const report of await verifyPublished(new Ceremony(dir), Date.now()))
      say(reportText(report));
  },
};

export const development: CeremonyCommand = {
  usage:
    "development DIR --version V [--min-from V] [--bundle FILE] [--cyclonedx FILE] [--spdx FILE]",
  summary:
    "a whole release by five throw-away engineers, for tests: builds for everybody refuse it",
  async run({ values, dir, say }) {
    await withDraft(values, async (draft) => {
      const team = new DevelopmentTeam(Date.now());
      const ceremony = await team.begin(dir, Date.now());
      for (const report of await team.release(ceremony, draft, Date.now())) say(reportText(report));
    });
  },
};

/** What was given on the command line; what was not is built, or taken out of the bundle. */
async function withDraft(values: Values, use: (draft: Draft) => Promise<void>): Promise<void> {
  const arch = values.arch ?? "x64";
  if (arch !== "x64" && arch !== "arm64") throw new UsageError("--arch is x64 or arm64");
  const version = need(values, "version");
  const workDir = mkdtempSync(join(tmpdir(), "phantoma-release-"));
  try {
    const bundlePath = values.bundle ?? (await buildTwice(workDir, arch));
    const name = basename(bundlePath).replace(/\.tar\.gz$/, "");
    const parts = (format: "cyclonedx" | "spdx", ending: string): string =>
      values[format] ?? extractParts(bundlePath, format, workDir, `${name}.${ending}`);
    await use({
      bundlePath,
      cyclonedxPath: parts("cyclonedx", "cdx.json"),
      spdxPath: parts("spdx", "spdx.json"),
      version,
      minFrom: values["min-from"] ?? version,
      arch,
      builds: values.bundle === undefined ? 2 : 1,
    });
  } finally {
    rmSync(workDir, { recursive: true, force: true });
  }
}
