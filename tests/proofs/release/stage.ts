/**
 * The stage of the drill: five throw-away engineers, three honest releases, and what an attacker can do with copies.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { cpSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Anchor, parseAnchor, ReleaseFolder, type ReleaseRequest } from "@phantoma/release";
import type { Metadata } from "@tufjs/models";
import type { Ceremony } from "../../../tools/release/ceremony.ts";
import { DevelopmentTeam, type Draft } from "../../../tools/release/development/team.ts";
import type { AnyRole, Listed } from "../../../tools/release/new-metadata.ts";
import { digest, listed } from "../../../tools/release/propose.ts";
import { json } from "../../../tools/release/signing-key.ts";
import { releaseRefusal } from "../../release-refusal.ts";
import { forge, putMetadata, type Forgery } from "./forge.ts";

export const repositoryDir = fileURLToPath(new URL("../../..", import.meta.url));

export class Stage {
  readonly nowMs = Date.now();
  readonly team = new DevelopmentTeam(this.nowMs);
  readonly dir: string;
  readonly artifactPath: string;
  ceremony!: Ceremony;
  anchor!: Anchor;
  /** The repository as it was after the first release. */
  firstDir!: string;
  /** What a machine remembers that has seen the newest. */
  seenDir!: string;
  #count = 0;

  /** @param artifact somebody's file, which is released as it is */
  constructor(dir: string, artifact: string | undefined) {
    this.dir = dir;
    this.artifactPath = artifact ?? smallBundle(dir);
  }

  get repository(): string {
    return join(this.ceremony.dir, "repository");
  }

  async open(): Promise<void> {
    writeLists(this.dir);
    this.ceremony = await this.team.begin(join(this.dir, "ceremony"), this.nowMs);
    await this.#release("0.1.0", "0.1.0", this.#smallFile("0.1.0"));
    this.firstDir = this.copy();
    await this.#release("0.2.0", "0.1.0", this.#smallFile("0.2.0"));
    await this.#release("0.3.0", "0.2.0", this.artifactPath);
    this.anchor = parseAnchor(
      JSON.parse(readFileSync(join(this.ceremony.dir, "anchor.json"), "utf8")),
    );
    this.seenDir = this.newDir("seen");
    const code = await this.refusal({ stateDir: this.seenDir });
    if (code !== undefined) throw new Error(`the honest release was refused: ${code}`);
  }

  draft(version: string, minFrom: string, bundlePath: string): Draft {
    return {
      bundlePath,
      cyclonedxPath: join(this.dir, "cyclonedx.json"),
      spdxPath: join(this.dir, "spdx.json"),
      version,
      minFrom,
      arch: "x64",
      builds: 1,
    };
  }

  /** The code with which a request is refused; `undefined` when it is accepted. Anything else is no refusal. */
  refusal(request: Partial<ReleaseRequest>): Promise<string | undefined> {
    return releaseRefusal({
      anchor: this.anchor,
      source: new ReleaseFolder(this.repository),
      stateDir: this.newDir("state"),
      filePath: this.artifactPath,
      nowMs: this.nowMs,
      ...request,
    });
  }

  /** As a machine sees it that remembers the newest release. */
  refusalOfSeen(dir: string): Promise<string | undefined> {
    const stateDir = this.newDir("state");
    cpSync(this.seenDir, stateDir, { recursive: true });
    return this.refusal({ source: new ReleaseFolder(dir), stateDir });
  }

  refusalOf(dir: string, request: Partial<ReleaseRequest> = {}): Promise<string | undefined> {
    return this.refusal({ source: new ReleaseFolder(dir), ...request });
  }

  newDir(name: string): string {
    this.#count += 1;
    const dir = join(this.dir, `${name}-${this.#count}`);
    mkdirSync(dir);
    return dir;
  }

  /** A mirror under an attacker's hand. */
  copy(): string {
    const dir = this.newDir("mirror");
    cpSync(this.repository, dir, { recursive: true });
    return dir;
  }

  get files(): Listed[] {
    return listed(this.ceremony.targets!);
  }

  /** The signed list's entry of the newest release. */
  get newest(): Listed {
    return this.files.find(({ name }) => name === basename(this.artifactPath))!;
  }

  /** A mirror with metadata that the attacker made with the keys that they have. */
  forge(forgery: Forgery): string {
    const dir = this.copy();
    forge(dir, this.ceremony, this.team, { madeAtMs: this.nowMs, ...forgery });
    return dir;
  }

  put(dir: string, name: string, file: Metadata<AnyRole>): void {
    putMetadata(dir, name, file);
  }

  /** A file of the attacker's in a mirror, as the signed list would name it. */
  async putTarget(dir: string, name: string, content: object): Promise<Listed> {
    const path = join(this.newDir("file"), name);
    writeFileSync(path, json(content));
    const sha256 = await digest(path);
    copyFileSync(path, join(dir, "targets", `${sha256}.${name}`));
    return { name, length: readFileSync(path).length, sha256 };
  }

  async #release(version: string, minFrom: string, path: string): Promise<void> {
    await this.team.release(this.ceremony, this.draft(version, minFrom, path), this.nowMs);
  }

  #smallFile(version: string): string {
    const path = join(this.dir, `phantoma-node-${version}-linux-x64.tar.gz`);
    writeFileSync(path, `release ${version}`);
    return path;
  }
}

/** `cyclonedx.json` and `spdx.json`: what this source is made of. */
export function writeLists(dir: string): void {
  for (const format of ["cyclonedx", "spdx"]) {
    const args = ["sbom", "--package-lock-only", "--sbom-format", format];
    const options = { cwd: repositoryDir, maxBuffer: 33_554_432 };
    writeFileSync(join(dir, `${format}.json`), execFileSync("npm", args, options));
  }
}

/** A bundle of real files where nobody brought one. */
function smallBundle(dir: string): string {
  const path = join(dir, "phantoma-node-0.3.0-linux-x64.tar.gz");
  execFileSync("tar", ["-czf", path, "-C", repositoryDir, "packages/release", "package.json"]);
  return path;
}

/** The same bundle with one more byte in one of its files; a file that is no bundle gets another byte inside. */
export function tamperInside(path: string, dir: string): string {
  const to = join(mkdtempSync(join(dir, "tampered-")), basename(path));
  try {
    const tree = mkdtempSync(join(dir, "tree-"));
    execFileSync("tar", ["-xzf", path, "-C", tree], { stdio: "ignore" });
    const names = execFileSync("tar", ["-tzf", path], { maxBuffer: 67_108_864 }).toString("utf8");
    const victim = names.split("\n").find((name) => name !== "" && !name.endsWith("/"))!;
    writeFileSync(join(tree, victim), "\n", { flag: "a" });
    execFileSync("tar", ["-czf", to, "-C", tree, "."]);
  } catch {
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(to, bytes);
  }
  return to;
}
