/**
 * The bundle, built twice and compared; and the lists of parts that lie in it.
 *
 * Two builds on one machine show that the build has no luck in it, not that the machine is honest: that is what each
 * engineer's own build before signing is for.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MAX_SBOM_BYTES } from "@phantoma/release";
import { z } from "zod";
import { digest } from "./propose.ts";

const repositoryDir = fileURLToPath(new URL("../..", import.meta.url));
const Made = z.looseObject({ path: z.string() });

/** @throws {Error} when the two differ */
export async function buildTwice(workDir: string, arch: string): Promise<string> {
  const paths = ["first", "second"].map((name) => {
    const args = ["run", "--silent", "bundle", "--", "--json", "--arch", arch];
    const stdout = execFileSync("npm", [...args, "--out", join(workDir, name)], {
      cwd: repositoryDir,
      stdio: ["ignore", "pipe", "inherit"],
    });
    return Made.parse(JSON.parse(stdout.toString("utf8"))).path;
  });
  const [first, second] = await Promise.all(paths.map(digest));
  if (first !== second) throw new Error(`two builds differ: ${first} and ${second}`);
  return paths[0]!;
}

/** A list of parts out of the bundle itself, as a file in `workDir`. */
export function extractParts(
  bundlePath: string,
  format: "cyclonedx" | "spdx",
  workDir: string,
  name: string,
): string {
  const args = ["-xzOf", bundlePath, "--wildcards", "--occurrence=1", `*sbom/${format}.json`];
  const bytes = execFileSync("tar", args, { maxBuffer: MAX_SBOM_BYTES });
  const path = join(workDir, name);
  writeFileSync(path, bytes);
  return path;
}
