/** A node's next key: what stays, what goes, and a cut before each of the changes that it makes to the disk. */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  approveSuccession,
  deviceListDocument,
  documentHash,
  ed25519FromSeed,
  generateDeviceIdentity,
  NO_PREVIOUS,
  openSuccession,
  successionDocument,
  type Device,
} from "@phantoma/crypto";
import { expect, test } from "vitest";
import { DeviceListFolder, listPath } from "../devices/device-list-folder.ts";
import { originOf, readSuccessions } from "../devices/successions.ts";
import { entry, temporaryDir } from "../test-node.ts";
import { statePaths } from "./paths.ts";
import { abandonRotation, prepareRotation, rotate } from "./rotation.ts";

const main = fileURLToPath(new URL("main.ts", import.meta.url));
/** A few dozen processes on a busy machine, in milliseconds. */
const PATIENCE_MS = 240_000;

const [admin, chat] = [generateDeviceIdentity(), generateDeviceIdentity()];
const both = [entry(admin, "admin", "desk"), entry(chat, "chat", "phone")];
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

function listFor(node: string, devices: readonly Device[], by = admin): Uint8Array {
  const signer = by.signing.publicKey;
  const fields = { version: 1, previous: NO_PREVIOUS, issuedAt: 1, signer, devices };
  return deviceListDocument.sign(
    { ...fields, node: Buffer.from(node, "hex") },
    by.signing.privateKey,
  );
}

/** A node that stands, with a vault, a model and an order. */
function standing() {
  const dir = temporaryDir();
  const paths = statePaths(join(dir, "state"));
  const setup = (...args: string[]) =>
    spawnSync(process.execPath, [main, ...args, "--state", join(dir, "state")]);
  const { nodeKey } = JSON.parse(setup("init").stdout.toString()) as { nodeKey: string };
  writeFileSync(join(dir, "first"), listFor(nodeKey, both));
  setup("pin-devices", "--list", join(dir, "first"));
  mkdirSync(join(paths.keeperDir, "vaults"));
  mkdirSync(paths.installerDir);
  for (const path of [
    join(paths.keeperDir, "vaults/one"),
    join(paths.modelsDir, "model.gguf"),
    join(paths.ordersDir, "standing.order"),
    join(paths.wardenDir, "devices"),
  ])
    writeFileSync(path, "kept or not");
  return { dir, paths, nodeKey, next: join(dir, "next") };
}

/** As an admin's device does. */
function sign(
  next: string,
  from: string,
  to: string,
  devices: readonly Device[] = both,
  by = admin,
) {
  const list = listFor(to, devices, by);
  const fields = { from: Buffer.from(from, "hex"), to: Buffer.from(to, "hex"), issuedAt: 1 };
  const approved = { ...fields, devices: documentHash(list), admin: by.signing.publicKey };
  writeFileSync(join(next, "devices-1.list"), list);
  writeFileSync(join(next, "approval"), approveSuccession(approved, by.signing.privateKey));
}

const keyIn = (path: string) => hex(ed25519FromSeed(readFileSync(path)).publicKey);

function assertRotated(node: ReturnType<typeof standing>, to: string, oldSeed: Buffer): void {
  const { paths, nodeKey, next, dir } = node;
  const key = Buffer.from(to, "hex");
  expect(keyIn(join(paths.keeperDir, "node.key"))).toBe(to);
  expect(readFileSync(join(paths.devicesDir, "node.pub"), "ascii")).toBe(to);
  expect(new DeviceListFolder(paths.devicesDir, key).current.devices).toEqual(both);
  const successions = readSuccessions(paths.devicesDir, key);
  expect(hex(originOf(successions, key))).toBe(nodeKey);
  expect(hex(openSuccession(successions.get(nodeKey)!, Buffer.from(nodeKey, "hex")).to)).toBe(to);
  expect(existsSync(next)).toBe(false);
  for (const path of ["keeper/vaults/one", "models/model.gguf"])
    expect(readFileSync(join(dir, "state", path), "utf8")).toBe("kept or not");
  expect(readdirSync(paths.ordersDir)).toEqual([]);
  expect(readdirSync(paths.wardenDir)).toEqual(["receipt.key"]);
  for (const path of readdirSync(dir, { recursive: true, encoding: "utf8" }))
    if (lstatSync(join(dir, path)).isFile())
      expect([path, readFileSync(join(dir, path)).includes(oldSeed)]).toEqual([path, false]);
}

test("a node has its next key after the admin's word, with its devices, vault and models, and the old key nowhere", () => {
  const node = standing();
  const { paths, nodeKey, next } = node;
  const oldSeed = readFileSync(join(paths.keeperDir, "node.key"));
  const prepared = prepareRotation(paths, next);
  expect(prepareRotation(paths, next)).toEqual(prepared);
  expect(keyIn(join(paths.keeperDir, "node.key"))).toBe(nodeKey);
  sign(next, nodeKey, prepared.nodeKey);
  expect(rotate(paths, next, nodeKey)).toBe("rotated");
  assertRotated(node, prepared.nodeKey, oldSeed);
  expect(rotate(paths, next, nodeKey)).toBe("rotated");
  assertRotated(node, prepared.nodeKey, oldSeed);
});

test("a second change of key is followed from the first", () => {
  const { paths, nodeKey, next } = standing();
  const keys = [nodeKey];
  for (let i = 0; i < 2; i += 1) {
    const { nodeKey: to } = prepareRotation(paths, next);
    sign(next, keys.at(-1)!, to);
    rotate(paths, next, keys.at(-1)!);
    keys.push(to);
  }
  const successions = readSuccessions(paths.devicesDir, Buffer.from(keys[2]!, "hex"));
  expect([...successions.keys()]).toEqual([keys[1], keys[0]]);
  // A file that the keeper laid there leads nowhere.
  writeFileSync(join(paths.devicesDir, `${"ab".repeat(32)}.succession`), "x");
  expect(readSuccessions(paths.devicesDir, Buffer.from(keys[2]!, "hex")).size).toBe(2);
});

test("a second change that is finished by who knows only the first key is followed from the first, too", () => {
  const { paths, nodeKey, next } = standing();
  const { nodeKey: second } = prepareRotation(paths, next);
  sign(next, nodeKey, second);
  rotate(paths, next, nodeKey);
  const { nodeKey: third } = prepareRotation(paths, next);
  sign(next, second, third);
  // Cut as soon as there is no way back.
  const old = ed25519FromSeed(readFileSync(join(paths.keeperDir, "node.key")));
  const fields = {
    from: old.publicKey,
    to: Buffer.from(third, "hex"),
    devices: documentHash(readFileSync(join(next, "devices-1.list"))),
    issuedAt: 1,
    admin: admin.signing.publicKey,
    approval: new Uint8Array(readFileSync(join(next, "approval"))),
  };
  writeFileSync(join(next, "succession"), successionDocument.sign(fields, old.privateKey));
  writeFileSync(join(next, "ready"), "");
  expect(rotate(paths, next, nodeKey)).toBe("rotated");
  const successions = readSuccessions(paths.devicesDir, Buffer.from(third, "hex"));
  expect([...successions.keys()]).toEqual([second, nodeKey]);
});

test("a keeper that was taken over cannot hold it up past the way back by what it laid in its folders", () => {
  const node = standing();
  const { paths, nodeKey, next, dir } = node;
  const oldSeed = readFileSync(join(paths.keeperDir, "node.key"));
  const { nodeKey: to } = prepareRotation(paths, next);
  sign(next, nodeKey, to);
  const kept = join(dir, "first");
  const before = readFileSync(kept);
  symlinkSync(kept, join(paths.keeperDir, "node.key.gone"));
  for (const name of ["00000009.list", "node.pub.new", "genesis.new", `${nodeKey}.succession`])
    mkdirSync(join(paths.devicesDir, name, "full"), { recursive: true });
  expect(rotate(paths, next, nodeKey)).toBe("rotated");
  expect(readFileSync(kept)).toEqual(before);
  assertRotated(node, to, oldSeed);
});

test.each<[string, (next: string, from: string, to: string) => void]>([
  ["a device left out", (next, from, to) => sign(next, from, to, both.slice(0, 1))],
  [
    "another role for a device",
    (next, from, to) => sign(next, from, to, [both[0]!, { ...both[1]!, role: "admin" }]),
  ],
  ["a device that is no admin", (next, from, to) => sign(next, from, to, both, chat)],
  ["another node's key", (next, from) => sign(next, from, "cd".repeat(32))],
  ["an approval for another key", (next, _from, to) => sign(next, "cd".repeat(32), to)],
])("%s is not signed for by the old key, and nothing is changed", (_name, bad) => {
  const { dir, paths, nodeKey, next } = standing();
  const { nodeKey: to } = prepareRotation(paths, next);
  bad(next, nodeKey, to);
  expect(rotate(paths, next, nodeKey)).toBe("stale");
  expect(readFileSync(join(paths.devicesDir, "node.pub"), "ascii")).toBe(nodeKey);
  expect(existsSync(join(next, "succession"))).toBe(false);
  abandonRotation(next);
  expect(readdirSync(dir).toSorted()).toEqual(["first", "state"]);
});

test("a list that came meanwhile makes what was signed stale", () => {
  const { paths, nodeKey, next } = standing();
  const { nodeKey: to } = prepareRotation(paths, next);
  sign(next, nodeKey, to);
  const folder = new DeviceListFolder(paths.devicesDir, Buffer.from(nodeKey, "hex"));
  const { current } = folder;
  const devices = current.devices.map((one, i) => (i === 1 ? { ...one, revokedAt: 9 } : one));
  const fields = { ...current, version: 2, previous: current.hash, issuedAt: 9, devices };
  folder.add(deviceListDocument.sign(fields, admin.signing.privateKey));
  expect(rotate(paths, next, nodeKey)).toBe("stale");
  expect(existsSync(listPath(paths.devicesDir, 2))).toBe(true);
  sign(next, nodeKey, to, devices);
  expect(rotate(paths, next, nodeKey)).toBe("rotated");
});

test("past the way back nothing is given up", () => {
  const { paths, next } = standing();
  prepareRotation(paths, next);
  writeFileSync(join(next, "ready"), "");
  expect(() => abandonRotation(next)).toThrow("put in place");
  expect(existsSync(join(next, "node.key"))).toBe(true);
});

/** Ends the process before the change to the disk that it is told, as a power cut would. */
const CUT = `import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
let left = Number(process.env.CUT_BEFORE);
for (const name of ["writeFileSync", "writeSync", "renameSync", "rmSync", "mkdirSync"]) {
  const real = fs[name];
  fs[name] = (...args) => {
    if (left-- === 0) process.kill(process.pid, "SIGKILL");
    return real(...args);
  };
}
syncBuiltinESMExports();
`;

test(
  "cut before any of its changes, it goes on to the same end when it is run again",
  () => {
    const whole = standing();
    const { nodeKey: to } = prepareRotation(whole.paths, whole.next);
    sign(whole.next, whole.nodeKey, to);
    const oldSeed = readFileSync(join(whole.paths.keeperDir, "node.key"));
    writeFileSync(join(whole.dir, "cut.mjs"), CUT);
    let cuts = 0;
    for (let before = 0; ; before += 1) {
      const dir = temporaryDir();
      cpSync(whole.dir, dir, { recursive: true });
      const node = {
        ...whole,
        dir,
        paths: statePaths(join(dir, "state")),
        next: join(dir, "next"),
      };
      const { signal, status } = spawnSync(
        process.execPath,
        [
          "--import",
          join(dir, "cut.mjs"),
          main,
          "rotate",
          "--state",
          join(dir, "state"),
          "--dir",
          node.next,
          "--from",
          node.nodeKey,
        ],
        { env: { ...process.env, CUT_BEFORE: String(before) } },
      );
      if (signal === "SIGKILL") cuts += 1;
      else expect(status).toBe(0);
      expect(rotate(node.paths, node.next, node.nodeKey)).toBe("rotated");
      assertRotated(node, to, oldSeed);
      if (signal === null) break;
    }
    expect(cuts).toBeGreaterThan(20);
  },
  PATIENCE_MS,
);
