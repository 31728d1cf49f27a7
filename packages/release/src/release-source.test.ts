/** A release's folder is somebody else's: what lies there leads nowhere, and nothing waits for it. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ReleaseFolder } from "./release-source.ts";

test("a file is read up to its limit, a link and a pipe are not, and what is not there is nothing", async () => {
  const dir = mkdtempSync(join(tmpdir(), "source-"));
  writeFileSync(join(dir, "file"), "1234");
  symlinkSync("file", join(dir, "link"));
  execFileSync("mkfifo", [join(dir, "pipe")]);
  const source = new ReleaseFolder(dir);
  expect(String(await source.read("file", 4))).toBe("1234");
  await expect(source.read("file", 3)).rejects.toMatchObject({ code: "ERR_TOO_LARGE" });
  for (const odd of ["link", "pipe"])
    await expect(source.read(odd, 4)).rejects.toMatchObject({ code: "ERR_MISSING" });
  expect(await source.read("none", 4)).toBeUndefined();
});
