/**
 * A server in a folder, for tests: the release's own set-up and installer, and systemd's sysusers, tmpfiles and systemctl,
 * which all can work below another root. The kernel, PID 1 and the network are not in it. Needs root.
 *
 * @module
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openDeviceList, signFirstDeviceList, signSuccession } from "@phantoma/client";
import { generateDeviceIdentity, type DeviceIdentity } from "@phantoma/crypto";
import { packTree, type Bundle } from "../../../../tools/bundle/bundle.ts";
import { bundle as compile } from "../../../../tools/bundle/release-tree.ts";
import { parseEvent, type JournalEvent, type Order } from "../journal.ts";

const repositoryDir = fileURLToPath(new URL("../../../..", import.meta.url));
const SETUP = "var/lib/phantoma-setup";
const CHOICES = {
  mayReboot: true,
  mayOpenPort: true,
  mayUpdateKernel: true,
  mayHardenSsh: true,
} as const;
/** As on a fresh system, and long enough to be a file that must come back. */
const USERS = {
  passwd:
    "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
  group: "root:x:0:\nnogroup:x:65534:\n",
  shadow: "root:*:19000:0:99999:7:::\nnobody:*:19000:0:99999:7:::\n",
  gshadow: "root:*::\nnogroup:*::\n",
} as const;

/** Of Debian's, which are there on every server. */
const FOLDERS = ["etc/sysusers.d", "etc/tmpfiles.d", "etc/sysctl.d", "etc/systemd/system", "opt"];

/** Releases that are small: whole nodes without an engine. */
export class SmallReleases {
  readonly dir: string;
  readonly #tree: string;

  /** @param anchorPath whom the release believes, where it is to be updated */
  constructor(anchorPath?: string) {
    // Not in a private folder: the release tests itself as nobody.
    this.dir = mkdtempSync("/var/tmp/set-up-");
    chmodSync(this.dir, 0o755);
    this.#tree = join(this.dir, "tree");
    const tree = this.#tree;
    for (const role of ["setup", "installer", "provisioner"])
      compile(`apps/node/${role}/main.ts`, join(tree, `apps/node/${role}/main.js`));
    for (const path of ["package.json", "apps/node/package.json", "apps/node/units"])
      cpSync(join(repositoryDir, path), join(tree, path), { recursive: true });
    mkdirSync(join(tree, "bin"));
    // This Node, wherever it is: 120 MB less to copy, a dozen times.
    copyFileSync(process.execPath, join(this.dir, "node"));
    writeFileSync(join(tree, "bin/node"), `#!/bin/sh\nexec ${join(this.dir, "node")} "$@"\n`);
    mkdirSync(join(tree, "apps/node/self-test"));
    writeFileSync(join(tree, "apps/node/self-test/main.js"), "");
    mkdirSync(join(tree, "models/demo"), { recursive: true });
    writeFileSync(join(tree, "models/demo/model.gguf"), "weights");
    if (anchorPath !== undefined) copyFileSync(anchorPath, join(tree, "anchor.json"));
  }

  make(version: string): Promise<Bundle> {
    const options = { version, commit: null, time: 0, level: 1 } as const;
    return packTree(this.#tree, join(this.dir, `${version}.tar.gz`), options);
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export class ServerFolder {
  readonly root: string;
  readonly device: DeviceIdentity;
  readonly #release: Bundle;

  /** One to which the release was sent. @param root an empty folder, or one that is a server already */
  constructor(root: string, release: Bundle, device = generateDeviceIdentity()) {
    this.root = root;
    this.device = device;
    this.#release = release;
    if (existsSync(this.path(SETUP))) return;
    chmodSync(root, 0o755);
    mkdirSync(this.path(SETUP, "programs"), { recursive: true, mode: 0o755 });
    chmodSync(this.path(SETUP), 0o700);
    for (const dir of FOLDERS) mkdirSync(this.path(dir), { recursive: true, mode: 0o755 });
    for (const [name, text] of Object.entries(USERS)) writeFileSync(this.path("etc", name), text);
    this.send(release);
    execFileSync("tar", ["-xzf", release.path, "-C", this.path(SETUP, "programs")]);
    this.order({});
  }

  path(...names: string[]): string {
    return join(this.root, ...names);
  }

  /** The same server once more. @param root a folder that is not there */
  static copyOf(server: ServerFolder, root: string): ServerFolder {
    execFileSync("cp", ["-a", server.root, root]);
    return new ServerFolder(root, server.#release, server.device);
  }

  send(release: Bundle): void {
    copyFileSync(release.path, this.path(SETUP, "bundle.tar.gz"));
  }

  order(change: Partial<Order>): void {
    const order = { version: 1, sha256: this.#release.sha256, port: 7443, ...CHOICES, ...change };
    writeFileSync(this.path(SETUP, "order.json"), JSON.stringify(order));
  }

  /** As PID 1 starts it: a process of its own, whoever started it is gone. */
  start(what = "install", flags: readonly string[] = []): ChildProcess {
    const staged = this.path(SETUP, "programs");
    const programs = existsSync(staged) ? staged : this.path("opt/phantoma/current");
    const entry = join(programs, "apps/node/provisioner/main.js");
    return spawn(process.execPath, [...flags, entry, what, "--root", this.root], {
      stdio: ["ignore", "pipe", "ignore"],
      detached: true,
    });
  }

  /** Runs to its end. @returns its last word */
  async run(what = "install", flags: readonly string[] = []): Promise<JournalEvent | undefined> {
    const child = this.start(what, flags);
    child.stdout!.resume();
    await new Promise((resolve) => child.once("close", resolve));
    return this.events().at(-1);
  }

  /** To the end, with a device named when it is wanted. */
  async whole(what = "install"): Promise<JournalEvent | undefined> {
    const last = await this.run(what);
    if (last?.kind !== "wants") return last;
    this.nameDevice();
    return this.run(what);
  }

  /** Ended with all that it started, in the middle of a step, as a power cut does. @returns whether it came so far */
  async killedAt(step: string, what = "install"): Promise<boolean> {
    const said = this.events().length;
    const child = this.start(what);
    child.stdout!.resume();
    let wasThere = false;
    const isOver = new Promise<void>((resolve) => child.once("close", () => resolve()));
    const watch = setInterval(() => {
      if (wasThere || !this.#isDoing(step, said)) return;
      wasThere = true;
      process.kill(-child.pid!, "SIGKILL");
    }, 1);
    await isOver;
    clearInterval(watch);
    return wasThere;
  }

  #isDoing(name: string, said: number): boolean {
    const events = this.events().slice(said);
    return events.some(
      (event) => event.kind === "step" && event.step === name && event.state === "applying",
    );
  }

  events(): JournalEvent[] {
    const path = this.path(SETUP, "journal");
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, "utf8").split("\n");
    return lines.filter((line) => line.endsWith("}")).map(parseEvent);
  }

  /** What uninstalling would take away. */
  list(): string {
    const entry = this.path(SETUP, "programs/apps/node/provisioner/main.js");
    return execFileSync(process.execPath, [entry, "list", "--root", this.root], {
      encoding: "utf8",
    });
  }

  nameDevice(): void {
    const text = readFileSync(this.path(SETUP, "identity.json"), "utf8");
    const { nodeKey } = JSON.parse(text) as { nodeKey: string };
    const { list } = signFirstDeviceList(this.device, "first", Buffer.from(nodeKey, "hex"), 1);
    writeFileSync(this.path(SETUP, "devices-1.list"), list);
  }

  /** As an admin's device does, for the node's next key. */
  approveNextKey(): void {
    const { nodeKey, devices } = JSON.parse(
      readFileSync(this.path(SETUP, "next/asked.json"), "utf8"),
    ) as { nodeKey: string; devices: string };
    const current = openDeviceList(Buffer.from(devices, "base64"), this.nodeKey!);
    const to = Buffer.from(nodeKey, "hex");
    const { list, approval } = signSuccession(this.device, current, to, Date.now());
    writeFileSync(this.path(SETUP, "next/approval"), approval);
    writeFileSync(this.path(SETUP, "next/devices-1.list"), list);
  }

  get nodeKey(): string | undefined {
    const path = this.path("var/lib/phantoma/devices/node.pub");
    return existsSync(path) ? readFileSync(path, "ascii") : undefined;
  }

  /** Everything: kind, mode, owner, and the content where it is the same every time. */
  look(): Map<string, string> {
    const found = new Map<string, string>();
    const visit = (path: string): void => {
      const stat = lstatSync(this.path(path));
      const kind = stat.isSymbolicLink()
        ? readlinkSync(this.path(path))
        : stat.isDirectory()
          ? "folder"
          : "file";
      const isSame = stat.isFile() && !MADE_ANEW.test(path);
      const content = isSame ? sha256(readFileSync(this.path(path))) : "";
      const mode = (stat.mode & 0o7777).toString(8);
      found.set(path, [kind, mode, stat.uid, stat.gid, content].join(" "));
      if (stat.isDirectory())
        for (const name of readdirSync(this.path(path))) visit(join(path, name));
    };
    for (const top of ["etc", "opt", "var"]) if (existsSync(this.path(top))) visit(top);
    return found;
  }
}

/** Keys and what is signed by them; users, whose order may differ; and the set-up's own diary. */
const MADE_ANEW = /\.key$|\.crt$|node\.pub$|genesis$|\.list$|shadow-?$|setup\//;

/** Paths in which two servers differ. */
export function differences(
  a: ReadonlyMap<string, string>,
  b: ReadonlyMap<string, string>,
): string[] {
  return [...new Set([...a.keys(), ...b.keys()])].filter((path) => a.get(path) !== b.get(path));
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
