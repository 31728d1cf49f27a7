// Every unit test's temporary files lie in one folder, which is gone when the tests are over.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export function setup(): () => void {
  const dir = mkdtempSync(join(tmpdir(), "phantoma-unit-"));
  process.env.TMPDIR = dir;
  // The hundreds of programs that tests start compile our sources once, not each time.
  process.env.NODE_COMPILE_CACHE = join(dir, "compiled");
  return () => rmSync(dir, { recursive: true, force: true });
}
