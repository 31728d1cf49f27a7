// What nodes run beside Node is compiled before the tests, once: the first to need it would wait with everybody behind it.
// What cannot be built here is said by the tests that need it.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export function setup(): void {
  for (const path of ["../../bpf", "../../apps/node/cell"]) {
    const dir = fileURLToPath(new URL(path, import.meta.url));
    // The lock of every builder.
    spawnSync("flock", [dir, "make", "--silent", "-C", dir], { stdio: "ignore" });
  }
}
