/**
 * Two clean clones of the current commit, at paths of different length, each installing its own packages and building
 * for itself: their bundles must be the same bytes. Where they are not, the files are named.
 *
 * @module
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Proof } from "../../tests/proof.ts";
import type { Manifest } from "../../apps/node/installer/manifest.ts";
import { readTarGz } from "../../apps/node/installer/read-tar.ts";

const repositoryDir = fileURLToPath(new URL("../..", import.meta.url));

/** @returns the exit code */
export async function compareClones(isJson: boolean, arch: string): Promise<number> {
  const proof = new Proof(`Two clean clones give the same bundle for ${arch}`, isJson);
  const dir = mkdtempSync(join(tmpdir(), "phantoma-clones-"));
  try {
    const [a, b] = await Promise.all([
      buildIn(join(dir, "a"), arch),
      buildIn(join(dir, "another/and/deeper/b"), arch),
    ]);
    const differing = await differences(a.path, b.path);
    proof.row({
      name: "every byte is the same",
      holds: a.sha256 === b.sha256,
      detail:
        differing.length > 0
          ? `not ${differing.join(", ")}`
          : `${a.size} bytes, SHA-256 ${a.sha256}`,
      sha256: a.sha256,
      seconds: a.seconds + b.seconds,
    });
    proof.row({
      name: "it names the commit that it was built from",
      holds: a.commit === head(),
      detail: String(a.commit),
    });
    const [path] = await wordsOf(dir, a.path);
    proof.row({
      name: "no file of it has a word of where it was built",
      holds: path === undefined,
      detail: path ?? "",
    });
    const unit = join(dir, "a/apps/node/units/phantoma-hold.service");
    appendFileSync(unit, "# One line more.\n");
    const changed = await buildIn(join(dir, "a"), arch, true);
    proof.control(
      "one line more in one file is seen, and named",
      (await differences(changed.path, b.path)).includes("apps/node/units/phantoma-hold.service") &&
        changed.sha256 !== b.sha256,
    );
  } finally {
    rmSync(dir, { recursive: true });
  }
  return proof.finish();
}

interface Built {
  readonly path: string;
  readonly sha256: string;
  readonly size: number;
  readonly commit: string | null;
  readonly seconds: number;
}

async function buildIn(dir: string, arch: string, isCloned = false): Promise<Built> {
  const start = performance.now();
  if (!isCloned) execFileSync("git", ["clone", "--quiet", "--no-hardlinks", repositoryDir, dir]);
  const child = spawn("npm", ["run", "--silent", "bundle", "--", "--json", "--arch", arch], {
    cwd: dir,
    stdio: ["ignore", "pipe", "pipe"],
    env: otherEnvironment(),
  });
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const [code] = (await once(child, "close")) as [number];
  if (code !== 0) throw new Error(`the bundle could not be built in ${dir}:\n${errors}`);
  return {
    ...(JSON.parse(output) as Omit<Built, "seconds">),
    seconds: (performance.now() - start) / 1000,
  };
}

/** Another language and time zone than this process may have; what npm needs to reach its registry stays. */
function otherEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:npm_|INIT_CWD|LC_|LANG)/.test(name),
  );
  return { ...Object.fromEntries(kept), TMPDIR: tmpdir(), TZ: "Asia/Kolkata" };
}

/** @returns paths in the bundle whose bytes differ, or which only one has */
async function differences(a: string, b: string): Promise<string[]> {
  const [inA, inB] = [digests(await manifestOf(a)), digests(await manifestOf(b))];
  const paths = new Set([...inA.keys(), ...inB.keys()]);
  return [...paths].filter((path) => inA.get(path) !== inB.get(path)).sort();
}

function digests({ files }: Manifest): Map<string, string> {
  return new Map(files.map(({ path, sha256 }) => [path, sha256]));
}

async function manifestOf(path: string): Promise<Manifest> {
  for await (const { content } of readTarGz(path))
    return JSON.parse((await bytesOf(content)).toString()) as Manifest;
  throw new Error("an empty archive");
}

/** @returns names of files in which the folder's name occurs */
async function wordsOf(dir: string, path: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { path: name, content } of readTarGz(path)) {
    const bytes = await bytesOf(content);
    if (bytes.includes(dir) || bytes.includes(repositoryDir)) found.push(name);
  }
  return found;
}

async function bytesOf(content: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of content) parts.push(part);
  return Buffer.concat(parts);
}

function head(): string {
  return execFileSync("git", ["rev-parse", "HEAD"], {
    cwd: repositoryDir,
    encoding: "utf8",
  }).trim();
}
