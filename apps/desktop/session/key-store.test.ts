import { mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import {
  openFileKeyStore,
  openSealedKeyStore,
  type OpenKeyStore,
  type Sealer,
} from "./key-store.ts";

let homeDir = "";
beforeEach(() => {
  homeDir = mkdtempSync(join(tmpdir(), "phantoma-keys-"));
});

/** Seals by naming the backend and changing the text, which is enough to tell sealed from plain. */
function sealer(backend: string, isAvailable = true): Sealer {
  return {
    backend: () => backend,
    isAvailable: async () => isAvailable,
    seal: async (text) => Buffer.from(Buffer.from(backend + text).toString("hex")),
    open: async (sealed) => Buffer.from(sealed.toString(), "hex").toString().slice(backend.length),
  };
}

const key = ({ device }: OpenKeyStore) => Buffer.from(device.signing.publicKey).toString("hex");
const sealedPath = () => join(homeDir, "device.sealed");

test("a key in a file is for this user alone and the same next time", () => {
  const first = openFileKeyStore(homeDir);
  expect(first.view).toEqual({ backend: "file", isProtected: false, note: "KEY_FILE" });
  expect(statSync(join(homeDir, "device.key")).mode & 0o777).toBe(0o600);
  expect(statSync(homeDir).mode & 0o777).toBe(0o700);
  expect(key(openFileKeyStore(homeDir))).toBe(key(first));
});

test("a file that is no key is refused and not written over", () => {
  writeFileSync(join(homeDir, "device.key"), "not a key");
  expect(() => openFileKeyStore(homeDir)).toThrow(
    expect.objectContaining({ code: "ERR_KEY_LOCKED" }),
  );
  expect(readFileSync(join(homeDir, "device.key"), "utf8")).toBe("not a key");
});

test("a sealed key is the same next time, and its backend is named", async () => {
  const first = await openSealedKeyStore(homeDir, sealer("gnome_libsecret"));
  expect(first.view).toEqual({ backend: "gnome_libsecret", isProtected: true, note: null });
  expect(key(await openSealedKeyStore(homeDir, sealer("gnome_libsecret")))).toBe(key(first));
});

test("basic_text is said to protect nothing", async () => {
  const { view } = await openSealedKeyStore(homeDir, sealer("basic_text"));
  expect(view).toEqual({ backend: "basic_text", isProtected: false, note: "KEY_BASIC_TEXT" });
});

test("without the system's encryption the key lasts for this run and nothing is written", async () => {
  const { view } = await openSealedKeyStore(homeDir, sealer("kwallet6", false));
  expect(view).toEqual({ backend: "none", isProtected: false, note: "KEY_UNAVAILABLE" });
  expect(() => statSync(sealedPath())).toThrow("ENOENT");
});

test("another backend than before neither opens nor replaces the key", async () => {
  const first = await openSealedKeyStore(homeDir, sealer("kwallet6"));
  const before = readFileSync(sealedPath());
  const other = await openSealedKeyStore(homeDir, sealer("basic_text"));
  expect(other.view.note).toBe("KEY_BACKEND_CHANGED");
  expect(key(other)).not.toBe(key(first));
  expect(readFileSync(sealedPath())).toEqual(before);
  expect(key(await openSealedKeyStore(homeDir, sealer("kwallet6")))).toBe(key(first));
});

test("a store of the same name with another secret neither opens nor replaces the key", async () => {
  await openSealedKeyStore(homeDir, sealer("kwallet6"));
  const before = readFileSync(sealedPath());
  const changed = { ...sealer("kwallet6"), open: () => Promise.reject(new Error("no")) };
  expect((await openSealedKeyStore(homeDir, changed)).view.note).toBe("KEY_BACKEND_CHANGED");
  expect(readFileSync(sealedPath())).toEqual(before);
});
