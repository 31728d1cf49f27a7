// Every npm script comes through here: it installs what is missing, then runs the named file
// under the project's own Node 24, whatever Node the machine has. Plain JavaScript, because it
// must run before anything is installed.
//
//   node tools/launch.mjs FILE [ARGUMENT ...]
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(fileURLToPath(import.meta.url), "../..");
const stampPath = join(root, "node_modules/.phantoma-installed");

installPackages();
run(runtimePath(), process.argv.slice(2));

/**
 * Installs when node_modules is not what package-lock.json says; otherwise costs one hash.
 *
 * `npm install --no-save` takes versions and digests from the lock file as `npm ci` does. `npm ci` itself
 * refuses a lock file without the optional packages of other platforms, and not every registry has those.
 */
function installPackages() {
  const wanted = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .update(process.platform + process.arch)
    .digest("hex");
  if (existsSync(stampPath) && readFileSync(stampPath, "utf8") === wanted) return;
  say("installing packages (once, about a minute)");
  const npm = spawnSync(
    "npm",
    ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"],
    {
      cwd: root,
      stdio: ["ignore", 2, 2],
      shell: process.platform === "win32",
    },
  );
  if (npm.status !== 0) {
    say("npm could not install the packages; see its message above, then run this again");
    process.exit(1);
  }
  writeFileSync(stampPath, wanted);
}

/** The Node 24 that the registry carries as a package; the running Node where it is new enough. */
function runtimePath() {
  const packaged = join(root, `node_modules/node-${process.platform}-${process.arch}/bin/node`);
  if (existsSync(packaged)) return packaged;
  if (Number(process.versions.node.split(".")[0]) >= 24) return process.execPath;
  say(`no Node 24 for ${process.platform} ${process.arch}: install Node 24, then run this again`);
  process.exit(1);
}

/** Runs the file and ends as it ended; a signal to us is the file's to handle. */
function run(node, [file, ...rest]) {
  const child = spawn(node, [resolve(root, file), ...rest], { stdio: "inherit" });
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  // A terminal sends Ctrl-C to the child as well; sending it twice would look like two presses.
  process.on("SIGINT", () => process.stdin.isTTY || child.kill("SIGINT"));
  child.on("exit", (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
}

function say(text) {
  process.stderr.write(`phantoma: ${text}\n`);
}
