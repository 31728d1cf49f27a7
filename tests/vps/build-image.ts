/**
 * Makes the guest of `guest.ts`, once: unpacks Debian, makes a partitioned disk, lets the guest
 * install its own GRUB, and keeps its first boot through that.
 *
 *   build-image.ts [--again]
 *
 * Each step leaves a mark when it is whole, so an interrupted build goes on where it stopped; the
 * finished folder gets its name last. Packages come from the mirror that this machine's apt uses.
 *
 * @module
 */
import { spawnSync, type SpawnSyncOptions } from "node:child_process";
import { closeSync, existsSync, ftruncateSync, globSync } from "node:fs";
import { chmodSync, mkdirSync, openSync, readFileSync, renameSync, rmSync } from "node:fs";
import { writeFileSync, writeSync, copyFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { argumentsOf, flag } from "../arguments.ts";
import { aptMirror } from "./apt-mirror.ts";
import { bootedStateDir, saveFirstBoot } from "./booted-guest.ts";
import { Guest } from "./guest.ts";
import { noGuest } from "./needs.ts";
import * as recipe from "./recipe.ts";

const values = argumentsOf({ again: flag });
const building = `${recipe.imageDir}.building`;
const rootDir = join(building, "root");
const diskPath = join(building, "disk.raw");

if (values.again) rmSync(recipe.imageDir, { recursive: true, force: true });
const obstacle = noGuest();
if (obstacle) fail(obstacle);
if (!existsSync(recipe.imageDir)) await build();
if (!existsSync(bootedStateDir())) await timed("boot it for the first time", () => saveFirstBoot());
say(`the guest is built: ${recipe.imageDir}`);

async function build(): Promise<void> {
  mkdirSync(building, { recursive: true });
  await step("unpack Debian", unpack);
  await step("set it up", setUp);
  await step("make the disk", makeDisk);
  await step("let it install its GRUB", installGrub);
  rmSync(rootDir, { recursive: true });
  renameSync(building, recipe.imageDir);
}

async function step(name: string, work: () => void | Promise<void>): Promise<void> {
  const mark = join(building, `${name.replaceAll(" ", "-")}.done`);
  if (existsSync(mark)) return say(`${name}: done before`);
  await timed(name, work);
  writeFileSync(mark, "");
}

async function timed(name: string, work: () => void | Promise<void>): Promise<void> {
  say(`${name} …`);
  const start = Date.now();
  await work();
  say(`${name}: ${((Date.now() - start) / 1000).toFixed(0)} s`);
}

function unpack(): void {
  rmSync(rootDir, { recursive: true, force: true });
  const packagesDir = join(recipe.cacheDir, "packages");
  mkdirSync(packagesDir, { recursive: true });
  const include = `--include=${recipe.PACKAGES.join(",")}`;
  const cache = `--cache-dir=${packagesDir}`;
  const flags = ["--variant=minbase", include, cache, recipe.SUITE, rootDir, aptMirror()];
  command("debootstrap", flags, { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
}

function setUp(): void {
  for (const [name, text] of Object.entries(recipe.FILES)) {
    mkdirSync(dirname(join(rootDir, name)), { recursive: true });
    writeFileSync(join(rootDir, name), text);
  }
  // The build machine's mirror is nobody else's business, and the guest reaches none.
  writeFileSync(join(rootDir, "etc/apt/sources.list"), "");
  for (const line of recipe.COMMANDS) {
    const isDone = line.startsWith("useradd") && existsSync(join(rootDir, "home/debian"));
    if (!isDone) command("chroot", [rootDir, "sh", "-c", line]);
  }
  const keyPath = join(building, "ssh_key");
  if (!existsSync(keyPath))
    command("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "vps", "-f", keyPath]);
  const key = readFileSync(`${keyPath}.pub`);
  for (const home of ["root", "home/debian"]) {
    const dir = join(rootDir, home, ".ssh");
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    writeFileSync(join(dir, "authorized_keys"), key, { mode: 0o600 });
  }
  command("chroot", [rootDir, "chown", "-R", "debian:debian", "/home/debian/.ssh"]);
  const hostKey = readFileSync(join(rootDir, "etc/ssh/ssh_host_ed25519_key.pub"), "ascii");
  writeFileSync(join(building, "known_hosts"), `vps ${hostKey}`);
  for (const [pattern, name] of [
    ["vmlinuz-*", "vmlinuz"],
    ["initrd.img-*", "initrd"],
  ] as const) {
    const [found] = globSync(join(rootDir, "boot", pattern));
    if (!found) throw new Error(`the kernel package left no ${name}`);
    copyFileSync(found, join(building, name));
    chmodSync(join(building, name), 0o644);
  }
}

function makeDisk(): void {
  rmSync(diskPath, { force: true });
  const disk = openSync(diskPath, "w");
  ftruncateSync(disk, recipe.DISK_BYTES);
  const partitionBytes = recipe.DISK_BYTES - recipe.PARTITION_OFFSET;
  writeSync(disk, partitionTable(partitionBytes), 0, undefined, 0);
  closeSync(disk);
  const offset = `offset=${recipe.PARTITION_OFFSET}`;
  const flags = ["-q", "-F", "-L", "root", "-d", rootDir, "-E", offset, diskPath];
  command("mkfs.ext4", [...flags, `${partitionBytes / 1024}k`]);
}

/**
 * A master boot record with one Linux partition: its entry lies at byte 446, the signature at 510.
 * GRUB puts its own code into the rest.
 */
function partitionTable(partitionBytes: number): Buffer {
  const record = Buffer.alloc(512);
  record[446] = 0x80; // active
  record[450] = 0x83; // Linux
  record.writeUInt32LE(recipe.PARTITION_OFFSET / 512, 454);
  record.writeUInt32LE(partitionBytes / 512, 458);
  // A disk without an identity would be given one by whoever looks at it first.
  record.writeUInt32LE(0x70_68_61_6e, 440);
  record.writeUInt16LE(0xaa55, 510);
  return record;
}

async function installGrub(): Promise<void> {
  const direct = await Guest.boot({ image: building, isWritingImage: true, kernelArguments: [] });
  try {
    await direct.check(
      'echo "grub-pc grub-pc/install_devices multiselect /dev/vda" | debconf-set-selections',
    );
    await direct.check("grub-install /dev/vda && update-grub");
    await direct.shutDown();
  } finally {
    await direct.stop();
  }
}

function command(program: string, args: readonly string[], options: SpawnSyncOptions = {}): void {
  const log = openSync(join(building, "build.log"), "a");
  const { status, error } = spawnSync("nice", ["-n", "5", program, ...args], {
    ...options,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  if (status === 0) return;
  const lastLines = readFileSync(join(building, "build.log"), "utf8")
    .trimEnd()
    .split("\n")
    .slice(-15);
  fail(`${program} failed (${error?.message ?? status}):\n${lastLines.join("\n")}`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
