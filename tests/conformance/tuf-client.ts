#!/usr/bin/env node
/**
 * The verifier's walk as a command that TUF's conformance suite drives: its CLIENT-CLI.md, version 2.
 *
 *   tuf-client.ts --metadata-dir D init ROOT
 *   tuf-client.ts --metadata-dir D --metadata-url U refresh
 *   tuf-client.ts --metadata-dir D --metadata-url U --target-name N … --target-base-url T --target-dir X download
 *
 * Exit code 0 when all of it succeeded, 1 when anything was refused, 2 for another command line. It follows no
 * delegation, as no release of ours has one; `tuf-client.ts.xfails` lists the cases that need more than a release does.
 *
 * @module
 */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Targets } from "@tufjs/models";
import { demandDigest } from "../../packages/release/src/file-digest.ts";
import { MAX_ARTIFACT_BYTES, MAX_ROOT_BYTES } from "../../packages/release/src/limits.ts";
import { loadMetadata } from "../../packages/release/src/metadata-chain.ts";
import { ReleaseError } from "../../packages/release/src/release-error.ts";
import { readTarget } from "../../packages/release/src/release-record.ts";
import { readBounded } from "../../packages/release/src/release-source.ts";
import { TrustedState } from "../../packages/release/src/trusted-state.ts";
import { below, download, HttpSource } from "./http-source.ts";
import { NO_LINE, tufRules } from "./tuf-rules.ts";

class UsageError extends Error {}

try {
  await run(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`tuf-client: ${(error as Error).message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

async function run(args: string[]): Promise<void> {
  const { values, positionals } = readOptions(args);
  const [command, rootPath] = positionals;
  const metadataDir = need(values, "metadata-dir");
  switch (command) {
    case "init":
      if (rootPath === undefined) throw new UsageError("name the first root");
      copyFileSync(rootPath, join(metadataDir, "root.json"));
      return;
    case "refresh":
      await refresh(metadataDir, need(values, "metadata-url"));
      return;
    case "download": {
      const targets = await refresh(metadataDir, need(values, "metadata-url"));
      const names = values["target-name"] ?? [];
      if (names.length === 0) throw new UsageError("--target-name is needed");
      const [baseUrl, dir] = [need(values, "target-base-url"), need(values, "target-dir")];
      for (const name of names) await fetchTarget(targets, name, baseUrl, dir);
      return;
    }
    default:
      throw new UsageError(`there is no command ${JSON.stringify(command ?? "")}`);
  }
}

function readOptions(args: string[]) {
  const text = { type: "string" } as const;
  const options = {
    "metadata-dir": text,
    "metadata-url": text,
    "target-name": { type: "string", multiple: true },
    "target-base-url": text,
    "target-dir": text,
  } as const;
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

type Values = ReturnType<typeof readOptions>["values"];

function need(values: Values, name: Exclude<keyof Values, "target-name">): string {
  const value = values[name];
  if (value === undefined) throw new UsageError(`--${name} is needed`);
  return value;
}

async function refresh(metadataDir: string, metadataUrl: string): Promise<Targets> {
  const root = await readBounded(join(metadataDir, "root.json"), MAX_ROOT_BYTES);
  if (root === undefined) throw new ReleaseError("ERR_ANCHOR", "begin with init");
  const { targets } = await loadMetadata({
    anchor: { ...NO_LINE, root, builtAtMs: 0 },
    rules: tufRules,
    source: new HttpSource(metadataUrl),
    state: new TrustedState(metadataDir),
    nowMs: Date.now(),
  });
  return targets;
}

/** Into `dir` when it is the signed one, and untouched where it is there already. */
async function fetchTarget(
  targets: Targets,
  name: string,
  baseUrl: string,
  dir: string,
): Promise<void> {
  const target = readTarget(targets, name, MAX_ARTIFACT_BYTES);
  const path = join(dir, encodeURIComponent(name));
  if (existsSync(path) && (await isSame(path, target))) return;
  const workDir = mkdtempSync(join(tmpdir(), "tuf-client-"));
  const fetched = join(workDir, "fetched");
  try {
    await save(below(baseUrl, hashedName(name, target.sha256)), fetched, target.length);
    await demandDigest(fetched, target);
    copyFileSync(fetched, path);
  } finally {
    rmSync(workDir, { recursive: true });
  }
}

async function save(url: URL, path: string, maxBytes: number): Promise<void> {
  const pieces = await download(url);
  if (pieces === undefined) throw new ReleaseError("ERR_MISSING", `${url.href} is not there`);
  await using file = await open(path, "wx", 0o600);
  let length = 0;
  for await (const piece of pieces) {
    length += piece.length;
    if (length > maxBytes)
      throw new ReleaseError("ERR_DIGEST", `${url.href} is longer than ${maxBytes} bytes`);
    await file.writeFile(piece);
  }
}

/** TUF's consistent snapshots: the digest stands before the last part of the name. */
function hashedName(name: string, sha256: string): string {
  const parts = name.split("/");
  return [...parts.slice(0, -1), `${sha256}.${parts.at(-1)!}`].join("/");
}

async function isSame(
  path: string,
  target: { readonly length: number; readonly sha256: string },
): Promise<boolean> {
  return demandDigest(path, target).then(
    () => true,
    () => false,
  );
}
