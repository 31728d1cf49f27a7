/**
 * Another key for a node that stands: its devices keep their places, and its old key vouches for the new one before it is
 * erased. Root's, while the node is stopped.
 *
 *   DIR/node.key        the next key, made first
 *   DIR/devices-1.list  an admin's: the first list of the next key
 *   DIR/approval        an admin's signature, 64 bytes, for the succession
 *   DIR/succession      signed by the old key, too
 *   DIR/ready           from here on there is no way back: what lies here takes the place of what was
 *
 * What is in place only by half lets no process start: each follows the lists for the key that it has.
 *
 * @module
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import {
  activeAdmin,
  CryptoError,
  documentHash,
  exportNodeIdentity,
  generateNodeIdentity,
  importNodeIdentity,
  openFirstDeviceList,
  openSuccession,
  Secret,
  successionDocument,
  type DeviceList,
  type NodeIdentity,
  type VerifiedDeviceList,
} from "@phantoma/crypto";
import {
  DeviceListFolder,
  GENESIS_FILE,
  listPath,
  SEEN_DEVICES_FILE,
} from "../devices/device-list-folder.ts";
import { successionPath } from "../devices/successions.ts";
import type { statePaths } from "./paths.ts";
import { readPublicFile, writeNewFile, writePublicFile } from "./public-file.ts";

type Paths = ReturnType<typeof statePaths>;

const SEED_BYTES = 32;

/** What an admin's device signs for: the next key, and the list that is in force, in base64. */
export interface Prepared {
  readonly nodeKey: string;
  readonly devices: string;
}

/** Changes nothing that runs. Asked again, it has the same key, and the list that is in force by then. */
export function prepareRotation(paths: Paths, dir: string): Prepared {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const keyPath = join(dir, "node.key");
  if (!existsSync(keyPath)) {
    const secret = exportNodeIdentity(generateNodeIdentity());
    writeNewFile(`${keyPath}.half`, secret.expose(), 0o600);
    secret.erase();
    renameSync(`${keyPath}.half`, keyPath);
  }
  const { publicKey } = readIdentity(keyPath).signing;
  const devices = listsOf(paths).currentBytes.toString("base64");
  return { nodeKey: hex(publicKey), devices };
}

/**
 * Puts the next key in the place of the one from before; begun once, it can be done again until it is whole.
 *
 * @returns `stale`: nothing was changed, since the devices are others than those that were signed for, or were signed for
 * by nobody who may
 */
export function rotate(paths: Paths, dir: string, from: string): "rotated" | "stale" {
  if (!existsSync(join(dir, "ready"))) {
    if (nodeOf(paths) !== from) return finish(dir);
    if (!isSigned(paths, dir)) return "stale";
    writeNewFile(join(dir, "ready"), "", 0o600);
  }
  swap(paths, dir);
  return finish(dir);
}

/** Gives up what was prepared; past the way back it throws. */
export function abandonRotation(dir: string): void {
  if (existsSync(join(dir, "ready"))) throw new Error("the next key is being put in place");
  finish(dir);
}

/** Whether what an admin signed is of now; then the old key signs, too. */
function isSigned(paths: Paths, dir: string): boolean {
  const current = listsOf(paths).current;
  const next = readIdentity(join(dir, "node.key")).signing.publicKey;
  const list = readFileSync(join(dir, "devices-1.list"));
  const approval = new Uint8Array(readFileSync(join(dir, "approval")));
  const hash = documentHash(list);
  try {
    const first = openFirstDeviceList(list, next, hash);
    if (!activeAdmin(current, first.signer) || !areSame(current, first)) return false;
    const { signer: admin, issuedAt } = first;
    const fields = { from: current.node, to: next, devices: hash, issuedAt, admin, approval };
    const old = readIdentity(join(paths.keeperDir, "node.key"));
    const document = successionDocument.sign(fields, old.signing.privateKey);
    openSuccession(document, current.node);
    writeNewFile(join(dir, "succession"), document, 0o600);
    return true;
  } catch (error) {
    if (error instanceof CryptoError) return false;
    throw error;
  }
}

/** From the key that signed, whichever one whoever goes on with it knows: the old succession's place is not the new one's. */
function swap(paths: Paths, dir: string): void {
  const list = readFileSync(join(dir, "devices-1.list"));
  const succession = readFileSync(join(dir, "succession"));
  const { from } = successionDocument.open(succession, (unverified) => unverified.from);
  const keyPath = join(paths.keeperDir, "node.key");
  for (const path of forgotten(paths)) rmSync(path, { recursive: true, force: true });
  for (const path of [`${keyPath}.gone`, successionPath(paths.devicesDir, from)]) clear(path);
  writePublicFile(successionPath(paths.devicesDir, from), succession);
  writePublicFile(listPath(paths.devicesDir, 1), list);
  const secret = new Secret(readFileSync(join(dir, "node.key")));
  const { publicKey } = importNodeIdentity(secret).signing;
  writePublicFile(join(paths.devicesDir, "node.pub"), hex(publicKey));
  if (!isThere(keyPath, secret)) erase(keyPath);
  writeNewFile(keyPath, secret.expose(), 0o600);
  secret.erase();
  // Last: without it neither keeper nor gateway nor warden starts.
  writePublicFile(join(paths.devicesDir, GENESIS_FILE), hex(documentHash(list)));
}

/** Orders name the old key; what each process saw of the old lists does not hold for the new ones. */
function forgotten(paths: Paths): string[] {
  const inside = (dir: string) =>
    existsSync(dir) ? readdirSync(dir).map((name) => join(dir, name)) : [];
  return [
    ...inside(paths.devicesDir).filter((path) => /\/genesis$|\.(?:list|new)$/.test(path)),
    ...[paths.keeperDir, paths.gatewayDir, paths.installerDir].map((dir) =>
      join(dir, SEEN_DEVICES_FILE),
    ),
    ...inside(paths.wardenDir).filter((path) => !path.endsWith("/receipt.key")),
    ...[paths.ordersDir, paths.quarantineDir, paths.heraldDir, paths.updatesDir].flatMap(inside),
  ];
}

/** The copy of the key goes before its folder. */
function finish(dir: string): "rotated" {
  rmSync(join(dir, "ready"), { force: true });
  erase(join(dir, "node.key"));
  erase(join(dir, "node.key.half"));
  rmSync(dir, { recursive: true, force: true });
  return "rotated";
}

/**
 * A folder or a link where a file is to be: a keeper that was taken over, and is stopped now, may have laid it there, and is
 * a reason to change the key.
 */
function clear(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === false)
    rmSync(path, { recursive: true });
}

/** Under another name first, so that half of a key is never taken for one; then overwritten, then gone. */
function erase(path: string): void {
  const gone = `${path}.gone`;
  if (existsSync(path)) renameSync(path, gone);
  if (lstatSync(gone, { throwIfNoEntry: false }) === undefined) return;
  const file = openSync(gone, constants.O_WRONLY | constants.O_NOFOLLOW);
  try {
    const { size, nlink } = fstatSync(file);
    // One of the keeper's that leads to somebody else's file is removed, and nothing is written through it.
    if (nlink === 1) writeSync(file, Buffer.alloc(Math.min(size, SEED_BYTES)));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  rmSync(gone);
}

function isThere(path: string, secret: Secret): boolean {
  if (!existsSync(path)) return false;
  const stored = readPublicFile(path, SEED_BYTES);
  const isSame = stored.equals(secret.expose());
  stored.fill(0);
  return isSame;
}

function listsOf(paths: Paths): DeviceListFolder {
  const node = Buffer.from(nodeOf(paths), "hex");
  return new DeviceListFolder(
    paths.devicesDir,
    node,
    existsSync(paths.installerDir) ? join(paths.installerDir, SEEN_DEVICES_FILE) : undefined,
  );
}

function nodeOf(paths: Paths): string {
  return readPublicFile(join(paths.devicesDir, "node.pub"), 2 * SEED_BYTES).toString("ascii");
}

function readIdentity(path: string): NodeIdentity {
  const secret = new Secret(readPublicFile(path, SEED_BYTES));
  const identity = importNodeIdentity(secret);
  secret.erase();
  return identity;
}

/** Every device in its place, as it was. */
function areSame(before: VerifiedDeviceList, first: DeviceList): boolean {
  const told = ({ devices }: DeviceList) =>
    JSON.stringify(
      devices.map(({ signingKey, tunnelKey, ...rest }) => [hex(signingKey), hex(tunnelKey), rest]),
    );
  return told(before) === told(first);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
