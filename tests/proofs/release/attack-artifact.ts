/**
 * Attacks on the file itself: another one, a longer one, a changed one, an older one; and what a large one costs.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { openSync, closeSync, copyFileSync, ftruncateSync, statSync, truncateSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Report } from "./main.ts";
import { repositoryDir, type Stage, tamperInside } from "./stage.ts";

/** 1 GiB: the size that a bundle with a GPU's libraries has. */
const LARGE_BYTES = 1_073_741_824;
/** What reading it may add to a process that has the verifier loaded, in bytes. */
const MAX_GROWTH_BYTES = 67_108_864;

export async function attackArtifact(stage: Stage, { refused }: Report): Promise<void> {
  const { artifactPath, dir } = stage;
  const name = basename(artifactPath);
  const tampered = tamperInside(artifactPath, dir);
  refused(
    "a file inside the bundle was changed",
    "ERR_DIGEST",
    await stage.refusal({ filePath: tampered }),
  );

  const swapped = join(stage.newDir("swapped"), name);
  closeSync(openSync(swapped, "w"));
  truncateSync(swapped, statSync(artifactPath).size);
  refused(
    "another file of the same length",
    "ERR_DIGEST",
    await stage.refusal({ filePath: swapped }),
  );

  const longer = join(stage.newDir("longer"), name);
  copyFileSync(artifactPath, longer);
  truncateSync(longer, statSync(artifactPath).size + 1);
  refused("one byte more", "ERR_DIGEST", await stage.refusal({ filePath: longer }));
  refused(
    "a file that never ends",
    "ERR_DIGEST",
    await stage.refusal({ filePath: "/dev/zero", name }),
  );

  const older = join(dir, "phantoma-node-0.2.0-linux-x64.tar.gz");
  refused(
    "downgrade: a signed release that is older than what is installed",
    "ERR_DOWNGRADE",
    await stage.refusal({ filePath: older, installed: "0.3.0" }),
  );
  refused(
    "a release for which what is installed is too old",
    "ERR_VERSION_FLOOR",
    await stage.refusal({ installed: "0.1.0" }),
  );
  refused(
    "a file that nobody signed",
    "ERR_UNKNOWN_TARGET",
    await stage.refusal({ name: "phantoma-node-9.9.9-linux-x64.tar.gz" }),
  );
}

/** In a process of its own, so that its memory can be told. */
export async function measureLargeBundle(stage: Stage, { shown }: Report): Promise<void> {
  const path = join(stage.dir, "phantoma-node-0.4.0-linux-x64.tar.gz");
  const file = openSync(path, "w");
  ftruncateSync(file, LARGE_BYTES);
  closeSync(file);
  await stage.team.release(stage.ceremony, stage.draft("0.4.0", "0.3.0", path), stage.nowMs);
  const script = fileURLToPath(new URL("large-bundle.ts", import.meta.url));
  const run = spawnSync(
    process.execPath,
    [script, stage.ceremony.dir, path, stage.newDir("state")],
    { cwd: repositoryDir },
  );
  if (run.status !== 0) throw new Error(run.stderr.toString("utf8"));
  const { totalMs, hashMs, growthBytes } = JSON.parse(run.stdout.toString("utf8")) as Record<
    string,
    number
  >;
  const ownMs = totalMs! - hashMs!;
  shown(
    "1 GiB costs constant memory, and no time but SHA-256's",
    growthBytes! < MAX_GROWTH_BYTES && ownMs < 1000,
    `${totalMs} ms, of which plain SHA-256 ${hashMs} ms; ${Math.round(growthBytes! / 1_048_576)} MiB more`,
  );
}
