/** What is kept is what was hashed, whatever happens to the file meanwhile. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { demandDigest, type Keep } from "./file-digest.ts";

/** Three pieces and a bit. */
const CONTENT = Buffer.alloc(3_200_000, "release ");
const expected = {
  length: CONTENT.length,
  sha256: createHash("sha256").update(CONTENT).digest("hex"),
};

let path = "";
let kept = Buffer.alloc(0);
const keep: Keep = async (bytes) => {
  for await (const piece of bytes) kept = Buffer.concat([kept, piece]);
};
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), "digest-")), "bundle.tar.gz");
  writeFileSync(path, CONTENT);
  kept = Buffer.alloc(0);
});

test("what is kept is what was verified", async () => {
  await demandDigest(path, expected, keep);
  expect(kept.equals(CONTENT)).toBe(true);
});

test("a file that is written over once it was begun leaves the first one or a refusal", async () => {
  const late: Keep = async (bytes) => {
    for await (const piece of bytes) {
      if (kept.length === 0) writeFileSync(path, Buffer.alloc(CONTENT.length, "another "));
      kept = Buffer.concat([kept, piece]);
    }
  };
  await expect(demandDigest(path, expected, late)).rejects.toMatchObject({ code: "ERR_DIGEST" });
  expect(kept.equals(CONTENT)).toBe(false);
});

test("who keeps half of it has kept nothing", async () => {
  const half: Keep = async (bytes) => {
    for await (const piece of bytes) if (piece.length > 0) return;
  };
  await expect(demandDigest(path, expected, half)).rejects.toMatchObject({ code: "ERR_DIGEST" });
});

test("where a copy is kept, a link is not followed and a pipe not waited for", async () => {
  const [link, pipe] = [`${path}.link`, `${path}.pipe`];
  symlinkSync(path, link);
  execFileSync("mkfifo", [pipe]);
  await demandDigest(link, expected);
  for (const odd of [link, pipe])
    await expect(demandDigest(odd, expected, keep)).rejects.toMatchObject({ code: "ERR_MISSING" });
  expect(kept).toHaveLength(0);
});
