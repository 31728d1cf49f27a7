/**
 * Where this device's key lies, and what the page says about that.
 *
 *   file      HOME/device.key      0600, 64 bytes: a browser's console has no system key store
 *   sealed    HOME/device.sealed   0600, sealed by the system's key store, with the store's name
 *   locked    HOME/device.locked   0600, sealed under a passphrase: where it is, the other two are not
 *
 * A store that does not work, or another one than before, is never passed over in silence and never
 * written over: the device then has a key for this run only, and the page says so.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { existsSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { assertLong, openWithPassphrase, sealUnderPassphrase } from "@phantoma/client";
import {
  exportDeviceIdentity,
  generateDeviceIdentity,
  importDeviceIdentity,
  Secret,
  type DeviceIdentity,
} from "@phantoma/crypto";
import { z } from "zod";
import type { KeyStoreView } from "../ipc/contract.ts";
import type { LockView } from "../ipc/lock.ts";
import { DesktopError } from "./desktop-error.ts";
import { makePrivateDir, readIfPresent, writePrivate } from "./private-file.ts";

export interface OpenKeyStore {
  readonly device: DeviceIdentity;
  readonly view: KeyStoreView;
}

/** What Electron's safeStorage offers; given in, so that nothing here needs Electron. */
export interface Sealer {
  backend(): string;
  isAvailable(): Promise<boolean>;
  seal(text: string): Promise<Buffer>;
  open(sealed: Buffer): Promise<string>;
}

/** A key store that can be opened again after its key was let go. */
export interface KeyStore {
  readonly opensWith: LockView["opensWith"];
  /**
   * @param passphrase where it opens with one
   * @throws {@link DesktopError} `ERR_LOCKED` without the passphrase that it wants; `ERR_PASSPHRASE` for another one
   */
  open(passphrase?: Secret): Promise<OpenKeyStore>;
  /**
   * From now on it opens with this passphrase and nothing else; the key stays the same.
   *
   * @throws {@link DesktopError} `ERR_KEY_LOCKED` for a key of this run only: it would take the stored one's place
   */
  setPassphrase(device: DeviceIdentity, passphrase: Secret): Promise<void>;
}

/** @param openUnlocked how the key lies where no passphrase was set */
export function keyStoreIn(homeDir: string, openUnlocked: () => Promise<OpenKeyStore>): KeyStore {
  const lockedPath = join(homeDir, "device.locked");
  let last: OpenKeyStore["view"] | undefined;
  /** There is one, and this run has another. */
  const isUnopened = () =>
    last !== undefined && isOfThisRun(last) && existsSync(join(homeDir, "device.sealed"));
  return {
    get opensWith() {
      if (existsSync(lockedPath)) return "passphrase";
      if (isUnopened()) return "unopened";
      // `basic_text` and a plain file hide nothing.
      return last?.isProtected ? "keyring" : "nothing";
    },
    async open(passphrase) {
      const stored = readIfPresent(lockedPath);
      if (stored) {
        const opened = await openLocked(stored, lockedPath, passphrase);
        // Left by a crash between sealing and overwriting.
        overwriteUnlocked(homeDir);
        return opened;
      }
      const opened = await openUnlocked();
      last = opened.view;
      return opened;
    },
    async setPassphrase(device, passphrase) {
      if (isUnopened())
        throw new DesktopError(
          "ERR_KEY_LOCKED",
          "this key is for this run only; the stored one was not opened",
        );
      assertLong(passphrase);
      const secret = exportDeviceIdentity(device);
      try {
        writePrivate(lockedPath, await sealUnderPassphrase(passphrase, CONTEXT, secret.expose()));
      } finally {
        secret.erase();
      }
      overwriteUnlocked(homeDir);
    },
  };
}

const CONTEXT = "phantoma device key v1";

async function openLocked(
  stored: Buffer,
  path: string,
  passphrase: Secret | undefined,
): Promise<OpenKeyStore> {
  if (!passphrase) throw new DesktopError("ERR_LOCKED", "this device's key wants its passphrase");
  const secret = await openWithPassphrase(passphrase, CONTEXT, stored);
  const view = { backend: "passphrase", isProtected: true, note: null } as const;
  return { device: importOrRefuse(secret.expose(), path), view };
}

/** All that the key lies in without the passphrase, a file that was being written included. */
function overwriteUnlocked(homeDir: string): void {
  for (const name of ["device.key", "device.sealed"])
    for (const end of ["", ".new"]) overwrite(join(homeDir, name + end));
}

/** What a disk keeps of a file that was overwritten in place is not ours to say; a copy of the folder has none. */
function overwrite(path: string): void {
  if (!existsSync(path)) return;
  writeFileSync(path, randomBytes(statSync(path).size), { flag: "r+", flush: true });
  rmSync(path);
}

/** @throws {@link DesktopError} `ERR_KEY_LOCKED` when the file is there and is no key */
export function openFileKeyStore(homeDir: string): OpenKeyStore {
  makePrivateDir(homeDir);
  const path = join(homeDir, "device.key");
  const view = { backend: "file", isProtected: false, note: "KEY_FILE" } as const;
  const stored = readIfPresent(path);
  if (stored) return { device: importOrRefuse(stored, path), view };
  const device = generateDeviceIdentity();
  withExported(device, (bytes) => writePrivate(path, bytes));
  return { device, view };
}

const sealedFileSchema = z.strictObject({ backend: z.string().max(64), sealed: z.base64() });

export async function openSealedKeyStore(homeDir: string, sealer: Sealer): Promise<OpenKeyStore> {
  makePrivateDir(homeDir);
  const path = join(homeDir, "device.sealed");
  if (!(await sealer.isAvailable())) return forThisRun("none", "KEY_UNAVAILABLE");
  const backend = sealer.backend();
  const stored = readIfPresent(path);
  if (!stored) return { device: await makeSealed(path, backend, sealer), view: viewOf(backend) };
  const file = parseSealedFile(stored, path);
  if (file.backend !== backend) return forThisRun(backend, "KEY_BACKEND_CHANGED");
  try {
    const exported = Buffer.from(await sealer.open(Buffer.from(file.sealed, "base64")), "base64");
    return { device: importOrRefuse(exported, path), view: viewOf(backend) };
  } catch {
    // The store has the same name but not our key: a new login keyring, or a restored home folder.
    return forThisRun(backend, "KEY_BACKEND_CHANGED");
  }
}

async function makeSealed(path: string, backend: string, sealer: Sealer): Promise<DeviceIdentity> {
  const device = generateDeviceIdentity();
  const exported = withExported(device, (bytes) => Buffer.from(bytes).toString("base64"));
  const sealed = (await sealer.seal(exported)).toString("base64");
  writePrivate(path, JSON.stringify({ backend, sealed }));
  return device;
}

/** `basic_text` seals with a password that is in Chromium's source: a file would be as good. */
function viewOf(backend: string): KeyStoreView {
  const isProtected = backend !== "basic_text";
  return { backend, isProtected, note: isProtected ? null : "KEY_BASIC_TEXT" };
}

function forThisRun(backend: string, note: NonNullable<KeyStoreView["note"]>): OpenKeyStore {
  return { device: generateDeviceIdentity(), view: { backend, isProtected: false, note } };
}

function isOfThisRun({ note }: KeyStoreView): boolean {
  return note === "KEY_UNAVAILABLE" || note === "KEY_BACKEND_CHANGED";
}

function parseSealedFile(untrusted: Buffer, path: string) {
  try {
    return sealedFileSchema.parse(JSON.parse(untrusted.toString("utf8")));
  } catch {
    throw new DesktopError("ERR_KEY_LOCKED", `${path} is not a sealed device key`);
  }
}

function importOrRefuse(stored: Buffer, path: string): DeviceIdentity {
  const secret = new Secret(stored);
  try {
    return importDeviceIdentity(secret);
  } catch {
    throw new DesktopError("ERR_KEY_LOCKED", `${path} is not a device key`);
  } finally {
    secret.erase();
  }
}

function withExported<T>(device: DeviceIdentity, use: (bytes: Buffer) => T): T {
  const secret = exportDeviceIdentity(device);
  try {
    return use(secret.expose());
  } finally {
    secret.erase();
  }
}
