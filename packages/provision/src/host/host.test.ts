/**
 * A whole set-up below a folder of its own, by the programs that a server gets: the release's own set-up and installer,
 * and systemd's sysusers, tmpfiles and systemctl, which all can work below another root. Needs root.
 */
import { spawn, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
} from "node:fs";
import { readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { signFirstDeviceList } from "@phantoma/client";
import { generateDeviceIdentity } from "@phantoma/crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packTree } from "../../../../tools/bundle/bundle.ts";
import { bundle } from "../../../../tools/bundle/release-tree.ts";
import { parseEvent, type JournalEvent } from "../journal.ts";
import { stepNames, type StepName } from "../step-names.ts";
import { steps } from "./index.ts";

const repositoryDir = fileURLToPath(new URL("../../../..", import.meta.url));
const device = generateDeviceIdentity();
/** A bundle is made, and thirteen set-ups are. */
const PATIENCE_MS = 240_000;

const choices = { mayReboot: true, mayOpenPort: true, mayUpdateKernel: true, mayHardenSsh: true };

const isRoot = process.platform === "linux" && process.getuid?.() === 0;

test("there are words for every step, in the order in which they are done", () => {
  expect(steps.map(({ name }) => name)).toEqual(stepNames);
});

describe.skipIf(!isRoot)("a set-up", () => {
  let dir: string;
  let release: { path: string; sha256: string };

  beforeAll(async () => {
    // Not in a private folder: the release tests itself as nobody.
    dir = mkdtempSync("/var/tmp/set-up-");
    chmodSync(dir, 0o755);
    const tree = join(dir, "tree");
    for (const role of ["setup", "installer", "provisioner"])
      bundle(`apps/node/${role}/main.ts`, join(tree, `apps/node/${role}/main.js`));
    for (const path of ["package.json", "apps/node/package.json", "apps/node/units"])
      cpSync(join(repositoryDir, path), join(tree, path), { recursive: true });
    mkdirSync(join(tree, "bin"));
    // This Node, wherever it is: 120 MB less to copy, a dozen times.
    copyFileSync(process.execPath, join(dir, "node"));
    writeFileSync(join(tree, "bin/node"), `#!/bin/sh\nexec ${join(dir, "node")} "$@"\n`);
    mkdirSync(join(tree, "apps/node/self-test"));
    writeFileSync(join(tree, "apps/node/self-test/main.js"), "");
    mkdirSync(join(tree, "models/demo"), { recursive: true });
    writeFileSync(join(tree, "models/demo/model.gguf"), "weights");
    const options = { version: "0.1.0", commit: null, time: 0, level: 1 };
    release = await packTree(tree, join(dir, "bundle.tar.gz"), options);
  }, PATIENCE_MS);
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  /** A server to which the release was sent. */
  function server(): string {
    const root = mkdtempSync(join(dir, "root-"));
    chmodSync(root, 0o755);
    const setupDir = join(root, "var/lib/phantoma-setup");
    const programs = join(setupDir, "programs");
    mkdirSync(programs, { recursive: true });
    mkdirSync(join(root, "etc"));
    copyFileSync(release.path, join(setupDir, "bundle.tar.gz"));
    execFileSync("tar", ["-xzf", release.path, "-C", programs]);
    const order = { version: 1, sha256: release.sha256, port: 7443, ...choices };
    writeFileSync(join(setupDir, "order.json"), JSON.stringify(order));
    return root;
  }

  function run(root: string, what: string, programs = "var/lib/phantoma-setup/programs") {
    const entry = join(root, programs, "apps/node/provisioner/main.js");
    return spawn(process.execPath, [entry, what, "--root", root], {
      stdio: ["ignore", "pipe", "inherit"],
    });
  }

  async function end(
    root: string,
    what = "install",
    programs?: string,
  ): Promise<JournalEvent | undefined> {
    const child = run(root, what, programs);
    child.stdout.resume();
    await new Promise((resolve) => child.once("close", resolve));
    return events(root).at(-1);
  }

  function events(root: string): JournalEvent[] {
    const path = join(root, "var/lib/phantoma-setup/journal");
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, "utf8").split("\n");
    return lines.filter((line) => line.endsWith("}")).map(parseEvent);
  }

  function nameDevice(root: string): void {
    const setupDir = join(root, "var/lib/phantoma-setup");
    const { nodeKey } = JSON.parse(readFileSync(join(setupDir, "identity.json"), "utf8")) as {
      nodeKey: string;
    };
    const { list } = signFirstDeviceList(device, "first", Buffer.from(nodeKey, "hex"), 1);
    writeFileSync(join(setupDir, "devices-1.list"), list);
  }

  async function whole(root: string): Promise<void> {
    expect(await end(root)).toMatchObject({ kind: "wants", what: "devices" });
    nameDevice(root);
    expect(await end(root)).toMatchObject({ kind: "ended", what: "installed" });
  }

  /** Everything below a root: kind, mode, owner, and content where it is the same every time. */
  function look(root: string): Map<string, string> {
    const found = new Map<string, string>();
    const visit = (path: string): void => {
      const stat = lstatSync(join(root, path));
      const kind = stat.isSymbolicLink()
        ? readlinkSync(join(root, path))
        : stat.isDirectory()
          ? "folder"
          : "file";
      const isSame =
        stat.isFile() &&
        !/\.key$|\.crt$|node\.pub$|genesis$|\.list$|passwd|shadow|group|setup\//.test(path);
      const content = isSame
        ? createHash("sha256")
            .update(readFileSync(join(root, path)))
            .digest("hex")
        : "";
      found.set(
        path,
        [kind, (stat.mode & 0o7777).toString(8), stat.uid, stat.gid, content].join(" "),
      );
      if (stat.isDirectory())
        for (const name of readdirSync(join(root, path))) visit(join(path, name));
    };
    for (const top of ["etc", "opt", "var"]) if (existsSync(join(root, top))) visit(top);
    return found;
  }

  test(
    "ends with a device named, each process's files its own, and every unit enabled",
    async () => {
      const root = server();
      await whole(root);
      const owner = (path: string) => statSync(join(root, "var/lib/phantoma", path)).uid;
      for (const [folder, file] of [
        ["keeper", "node.key"],
        ["gateway", "tls.key"],
        ["warden", "receipt.key"],
      ] as const) {
        expect(owner(`${folder}/${file}`)).toBe(owner(folder));
        expect(owner(folder)).not.toBe(0);
        expect(statSync(join(root, "var/lib/phantoma", folder, file)).mode & 0o077).toBe(0);
      }
      expect(readlinkSync(join(root, "opt/phantoma/current"))).toContain("0.1.0");
      const wanted = readdirSync(join(root, "etc/systemd/system/multi-user.target.wants"));
      expect(wanted).toContain("phantoma-gateway.service");
      expect(readFileSync(join(root, "etc/phantoma/gateway.env"), "utf8")).toContain(
        "PHANTOMA_PORT=7443\n",
      );
    },
    PATIENCE_MS,
  );

  test(
    "done again, changes nothing and says so",
    async () => {
      const root = server();
      await whole(root);
      const before = look(root);
      const said = events(root).length;
      expect(await end(root)).toMatchObject({ kind: "ended", what: "installed" });
      const steps = events(root)
        .slice(said)
        .filter(({ kind }) => kind === "step");
      expect(steps.map((event) => "state" in event && event.state)).toEqual(
        stepNames.map(() => "was-so"),
      );
      expect(look(root)).toEqual(before);
    },
    PATIENCE_MS,
  );

  test(
    "killed in the middle of any step, ends as if it had not been, and keeps its name",
    async () => {
      const undisturbed = server();
      await whole(undisturbed);
      const expected = look(undisturbed);
      for (const step of stepNames.filter(
        (name) => !["kernel", "memory", "reboot", "firewall", "drill", "ssh"].includes(name),
      )) {
        const root = server();
        if (stepNames.indexOf(step) > stepNames.indexOf("devices")) {
          await end(root);
          nameDevice(root);
        }
        await killedIn(root, step);
        const before = nameOf(root);
        if ((await end(root))?.kind === "wants") {
          nameDevice(root);
          await end(root);
        }
        expect([step, events(root).at(-1)]).toMatchObject([
          step,
          { kind: "ended", what: "installed" },
        ]);
        expect([step, look(root)]).toEqual([step, expected]);
        if (before !== undefined) expect(nameOf(root)).toBe(before);
      }
    },
    PATIENCE_MS,
  );

  test(
    "uninstalled after any step, leaves what was there before",
    async () => {
      for (const step of ["release", "units", "devices", "start"] as const) {
        const root = server();
        const before = [...look(root).keys()].filter((path) => !path.includes("phantoma-setup"));
        if (step === "start") await whole(root);
        else await killedIn(root, step);
        const list = execFileSync(
          process.execPath,
          [
            join(root, "var/lib/phantoma-setup/programs/apps/node/provisioner/main.js"),
            "list",
            "--root",
            root,
          ],
          { encoding: "utf8" },
        );
        if (step === "start") expect(list).toContain("the node's identity");
        await end(root, "uninstall");
        const left = [...look(root).keys()].filter((path) => !before.includes(path));
        // What Debian's tools keep, and folders that hold nothing.
        const files = left.filter(
          (path) =>
            !/^etc\/(?:\.pwd\.lock|(?:passwd|group|shadow|gshadow)-?)$/.test(path) &&
            lstatSync(join(root, path)).isFile(),
        );
        expect([step, files]).toEqual([step, []]);
        expect([step, existsSync(join(root, "var/lib/phantoma-setup"))]).toEqual([step, false]);
        expect(
          existsSync(join(root, "etc/passwd"))
            ? readFileSync(join(root, "etc/passwd"), "utf8")
            : "",
        ).not.toContain("phantoma");
      }
    },
    PATIENCE_MS,
  );

  test(
    "stops before another release, and before a bundle that is not the one that was sent",
    async () => {
      const root = server();
      const path = join(root, "var/lib/phantoma-setup/bundle.tar.gz");
      const bytes = readFileSync(path);
      writeFileSync(path, Buffer.concat([bytes.subarray(0, -1), Buffer.from([bytes.at(-1)! ^ 1])]));
      expect(await end(root)).toMatchObject({ kind: "failed", step: "release" });
      expect(existsSync(join(root, "opt/phantoma/current"))).toBe(false);
      writeFileSync(path, bytes);
      await whole(root);
      const order = { version: 1, sha256: "ab".repeat(32), port: 7443, ...choices };
      writeFileSync(join(root, "var/lib/phantoma-setup/order.json"), JSON.stringify(order));
      const before = look(root);
      expect(await end(root)).toMatchObject({
        kind: "failed",
        step: "release",
        why: expect.stringContaining("another release"),
      });
      expect(look(root)).toEqual(before);
    },
    PATIENCE_MS,
  );

  async function killedIn(root: string, step: StepName): Promise<void> {
    const child = run(root, "install");
    child.stdout.resume();
    const isOver = new Promise<void>((resolve) => child.once("close", () => resolve()));
    const watch = setInterval(() => {
      const isThere = events(root).some(
        (event) => event.kind === "step" && event.step === step && event.state === "applying",
      );
      if (isThere) child.kill("SIGKILL");
    }, 1);
    await isOver;
    clearInterval(watch);
  }

  function nameOf(root: string): string | undefined {
    const path = join(root, "var/lib/phantoma/devices/node.pub");
    return existsSync(path) ? readFileSync(path, "ascii") : undefined;
  }
});
