/**
 * npm run bundle: everything that a server needs to be a node, in one file, the same bytes for everybody.
 *
 *   main.ts [--out DIR] [--anchor FILE]   makes dist/phantoma-node-<version>-linux-x64.tar.gz
 *   main.ts --arch arm64 …                the same for 64-bit ARM, which nobody has run: its manifest says untested
 *   main.ts --compare [--arch A] [--json] makes it in two clean clones at different paths, and compares
 *
 * A node takes updates from whom its release names: the keys in `packages/release`, or where there are none, as in
 * this source, those of an anchor file that a ceremony wrote.
 *
 * On linux-x64. Needs what `make -C bpf` and `make -C apps/node/cell` need, and git; for ARM also Debian's lld.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { makeBundle } from "./bundle.ts";
import { compareClones } from "./compare-clones.ts";

const { values } = parseArgs({
  options: {
    out: { type: "string", default: fileURLToPath(new URL("../../dist", import.meta.url)) },
    anchor: { type: "string" },
    arch: { type: "string", default: "x64" },
    compare: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});

if (values.compare) {
  process.exitCode = await compareClones(values.json, archOf(values.arch));
} else {
  const say = (text: string): void => void process.stderr.write(`  ${text}\n`);
  const { path, sha256, size, manifest } = await makeBundle(
    values.out,
    say,
    values.anchor,
    archOf(values.arch),
  );
  const { version, arch, untested, commit, files } = manifest;
  const made = { path, sha256, size, version, arch, untested, commit, files: files.length };
  process.stdout.write(`${JSON.stringify(made, null, values.json ? undefined : 1)}\n`);
}

function archOf(text: string): "x64" | "arm64" {
  if (text === "x64" || text === "arm64") return text;
  throw new Error("--arch is x64 or arm64");
}
