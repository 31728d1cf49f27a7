import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FuseState, FuseV1Options, getCurrentFuseWire } from "@electron/fuses";
import { expect, test } from "vitest";
import afterPack from "./after-pack.ts";
import { fuses } from "./main/fuses.ts";

/** How Electron marks its fuses in a binary; version 1 follows, a count, and one digit for each. */
const SENTINEL = "dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX";

/** A file that has nothing of Electron but fuses, all of them on. */
function binaryWith(count: number) {
  const appOutDir = mkdtempSync(join(tmpdir(), "phantoma-fuses-"));
  const path = join(appOutDir, "phantoma-console");
  const wire = [Buffer.from(SENTINEL), Buffer.of(1, count), Buffer.alloc(count, "1")];
  writeFileSync(path, Buffer.concat([Buffer.alloc(64), ...wire, Buffer.alloc(64)]));
  const packager = { appInfo: { productFilename: "Phantoma" }, executableName: "phantoma-console" };
  return { path, packed: { appOutDir, electronPlatformName: "linux", packager } };
}

test("item 19: a packed binary's fuses, read back, are the ones we chose", async () => {
  const { path, packed } = binaryWith(9);
  await afterPack(packed);
  const wire = await getCurrentFuseWire(path);
  for (const [name, isOn] of Object.entries(fuses)) {
    const state = wire[FuseV1Options[name as keyof typeof fuses]];
    expect(state, name).toBe(isOn ? FuseState.ENABLE : FuseState.DISABLE);
  }
});

test("item 19: a binary with a fuse that nobody judged is refused", async () => {
  await expect(afterPack(binaryWith(10).packed)).rejects.toThrow("10 fuses");
});
