/**
 * Verifies one large file in a process of its own, and says what it cost as JSON.
 *
 *   large-bundle.ts CEREMONY FILE STATE
 *
 * @module
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { parseAnchor, ReleaseFolder, verifyRelease } from "@phantoma/release";

const [dir, filePath, stateDir] = process.argv.slice(2) as [string, string, string];
const anchor = parseAnchor(JSON.parse(readFileSync(join(dir, "anchor.json"), "utf8")));
const source = new ReleaseFolder(join(dir, "repository"));
const before = process.memoryUsage().rss;
const startedAt = performance.now();
await verifyRelease({ anchor, source, stateDir, filePath });
const totalMs = Math.round(performance.now() - startedAt);
// The peak since the start of the process, in KiB.
const growthBytes = process.resourceUsage().maxRSS * 1024 - before;
const hashMs = await hashAlone();
process.stdout.write(JSON.stringify({ totalMs, hashMs, growthBytes }));

/** What the same file costs who does nothing else. */
async function hashAlone(): Promise<number> {
  const from = performance.now();
  const hash = createHash("sha256");
  await using file = await open(filePath, "r");
  const piece = Buffer.alloc(1_048_576);
  for (;;) {
    const { bytesRead } = await file.read(piece, 0, piece.length);
    if (bytesRead === 0) break;
    hash.update(piece.subarray(0, bytesRead));
  }
  hash.digest();
  return Math.round(performance.now() - from);
}
