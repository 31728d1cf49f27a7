/** What the verifier takes for a version, every part of the installer takes, and nothing else. */
import { mkdtempSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { generateDeviceIdentity, updateApprovalDocument } from "@phantoma/crypto";
import { isVersion, MAX_VERSION_LETTERS } from "@phantoma/release";
import { Disk } from "./disk.ts";
import { parseManifest } from "./manifest.ts";
import { Releases } from "./releases.ts";
import { StandingFile } from "./standing.ts";

const LONGEST = `2.0.0-${"rc".repeat(13)}`;

test.each(["0.1.0", "2.0.0-rc.1", "1.0.0-alpha-2.x", "999999999.0.0", LONGEST])(
  "%s is signed, approved, unpacked, linked and remembered",
  async (version) => {
    expect(isVersion(version)).toBe(true);
    expect(manifestOf(version).version).toBe(version);
    const { publicKey: signer, privateKey } = generateDeviceIdentity().signing;
    const [node, release] = [new Uint8Array(32), new Uint8Array(32)];
    const approval = { node, counter: 1n, notAfter: 1, signer, release, version };
    const signed = updateApprovalDocument.sign(approval, privateKey);
    expect(updateApprovalDocument.open(signed, () => signer).version).toBe(version);
    const dir = mkdtempSync(join(tmpdir(), "versions-"));
    const releases = new Releases(dir, new Disk());
    releases.makeFolders();
    releases.point("current", version);
    expect(releases.read("current")).toBe(version);
    const standing = new StandingFile(dir, new Disk());
    await standing.write({ floor: version });
    expect(standing.read().floor).toBe(version);
  },
);

test.each([
  "1.0",
  "01.0.0",
  "1.0.0-",
  "1.0.0-01",
  "1.0.0-a..b",
  "1.0.0+build",
  "..",
  `${LONGEST}x`,
])("%s is no version to any of them", (version) => {
  expect(isVersion(version)).toBe(false);
  expect(() => manifestOf(version)).toThrow("list of its files");
  const dir = mkdtempSync(join(tmpdir(), "versions-"));
  symlinkSync(`releases/${version}`, join(dir, "current"));
  expect(() => new Releases(dir, new Disk()).read("current")).toThrow("remembers is damaged");
});

test("the longest version is as long as an approval has room for", () => {
  expect(LONGEST).toHaveLength(MAX_VERSION_LETTERS);
});

function manifestOf(version: string) {
  const file = { path: "a", size: 1, sha256: "0".repeat(64), isExecutable: false };
  const head = { product: "phantoma-node", platform: "linux", arch: "x64", commit: null };
  return parseManifest(JSON.stringify({ ...head, version, files: [file] }));
}
