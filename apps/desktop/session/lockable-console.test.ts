/** A locked console answers nothing, holds no key, and opens with what it says it opens with. */
import { EventEmitter } from "node:events";
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportDeviceIdentity } from "@phantoma/crypto";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ConsoleEvent } from "../ipc/contract.ts";
import { lockWithMachine } from "../main/lock-with-machine.ts";
import { FakeNode } from "./fake-node.ts";
import { keyStoreIn, openFileKeyStore, openSealedKeyStore, type Sealer } from "./key-store.ts";
import { LockableConsole } from "./lockable-console.ts";

const PASSPHRASE = "nine brown horses walk";
const refusedAs = (code: string) => expect.objectContaining({ code });

let homeDir = "";
let running: LockableConsole[] = [];
beforeEach(() => {
  homeDir = mkdtempSync(join(tmpdir(), "phantoma-lock-"));
});
afterEach(async () => {
  vi.useRealTimers();
  for (const one of running) await one.close();
  running = [];
});

async function start(sealer?: Sealer) {
  const node = new FakeNode();
  const keys = keyStoreIn(homeDir, async () =>
    sealer ? openSealedKeyStore(homeDir, sealer) : openFileKeyStore(homeDir),
  );
  const options = { version: "0", shell: "web", homeDir, keys, client: node } as const;
  const locked = await LockableConsole.start({
    ...options,
    demo: { nodeDir: "", models: [] },
    endpointPort: 0,
  });
  running.push(locked);
  const events: ConsoleEvent["event"][] = [];
  locked.subscribe(({ event }) => events.push(event));
  return { ask: locked.requests, locked, node, events };
}

function sealer(backend: string): Sealer {
  return {
    backend: () => backend,
    isAvailable: async () => true,
    seal: async (text) => Buffer.from([...Buffer.from(text)].map((byte) => byte ^ 0x55)),
    open: async (sealed) => Buffer.from([...sealed].map((byte) => byte ^ 0x55)).toString(),
  };
}

test("with a key in a plain file, or under basic_text, locking is refused as a pretence", async () => {
  const plain = await start();
  expect(await plain.ask["lock.get"]({})).toMatchObject({ opensWith: "nothing", isLocked: false });
  await expect(plain.ask["lock.now"]({})).rejects.toThrow(refusedAs("ERR_LOCK_POINTLESS"));
  await expect(plain.ask["lock.setIdle"]({ minutes: 5 })).rejects.toThrow(
    refusedAs("ERR_LOCK_POINTLESS"),
  );
  const basic = await start(sealer("basic_text"));
  await expect(basic.ask["lock.now"]({})).rejects.toThrow(refusedAs("ERR_LOCK_POINTLESS"));
});

test("with a passphrase it locks, refuses, says so to the page, and opens as the same device", async () => {
  const { ask, events } = await start();
  const { device } = openFileKeyStore(homeDir);
  await ask["lock.setPassphrase"]({ passphrase: PASSPHRASE, current: null });
  expect(await ask["lock.now"]({})).toMatchObject({ isLocked: true, opensWith: "passphrase" });
  expect(events).toContain("console.locked");
  await expect(ask["console.state"]({})).rejects.toThrow(refusedAs("ERR_LOCKED"));
  await expect(ask["lock.open"]({ passphrase: null })).rejects.toThrow(refusedAs("ERR_LOCKED"));
  await expect(ask["lock.open"]({ passphrase: "nine brown horses ran" })).rejects.toThrow(
    refusedAs("ERR_PASSPHRASE"),
  );
  expect(await ask["lock.open"]({ passphrase: PASSPHRASE })).toMatchObject({ isLocked: false });
  expect((await ask["console.state"]({})).keyStore).toMatchObject({ backend: "passphrase" });
  expect(existsSync(join(homeDir, "device.key"))).toBe(false);
  expect(statSync(join(homeDir, "device.locked")).mode & 0o777).toBe(0o600);
  const seed = exportDeviceIdentity(device).expose();
  for (const name of readdirSync(homeDir).filter((one) => statSync(join(homeDir, one)).isFile()))
    expect(readFileSync(join(homeDir, name)).includes(seed.subarray(0, 32))).toBe(false);
});

test("a console whose key wants a passphrase starts locked", async () => {
  const first = await start();
  await first.ask["lock.setPassphrase"]({ passphrase: PASSPHRASE, current: null });
  const { ask } = await start();
  expect(await ask["lock.get"]({})).toMatchObject({ isLocked: true, opensWith: "passphrase" });
  expect(await ask["lock.open"]({ passphrase: PASSPHRASE })).toMatchObject({ isLocked: false });
});

test.each([
  ["is gone", { ...sealer("kwallet6"), isAvailable: async () => false }],
  ["is another one", sealer("gnome_libsecret")],
])("where the key store %s, no passphrase takes the stored key's place", async (_case, now) => {
  await openSealedKeyStore(homeDir, sealer("kwallet6"));
  const before = readFileSync(join(homeDir, "device.sealed"));
  const { ask } = await start(now);
  expect(await ask["lock.get"]({})).toMatchObject({ opensWith: "unopened", isLocked: false });
  await expect(
    ask["lock.setPassphrase"]({ passphrase: PASSPHRASE, current: null }),
  ).rejects.toThrow(refusedAs("ERR_KEY_LOCKED"));
  await expect(ask["lock.now"]({})).rejects.toThrow(refusedAs("ERR_LOCK_POINTLESS"));
  expect(existsSync(join(homeDir, "device.locked"))).toBe(false);
  expect(readFileSync(join(homeDir, "device.sealed"))).toEqual(before);
});

test("what a crash left of the key outside its seal is gone once the passphrase opened it", async () => {
  const first = await start();
  const left = ["device.key", "device.key.new", "device.sealed"];
  const key = readFileSync(join(homeDir, "device.key"));
  await first.ask["lock.setPassphrase"]({ passphrase: PASSPHRASE, current: null });
  for (const name of left) writeFileSync(join(homeDir, name), key);
  const { ask } = await start();
  await expect(ask["lock.open"]({ passphrase: "nine brown horses ran" })).rejects.toThrow(
    refusedAs("ERR_PASSPHRASE"),
  );
  expect(left.every((name) => existsSync(join(homeDir, name)))).toBe(true);
  await ask["lock.open"]({ passphrase: PASSPHRASE });
  expect(left.filter((name) => existsSync(join(homeDir, name)))).toEqual([]);
});

test("another passphrase is set only by whoever knows the one there is", async () => {
  const { ask } = await start();
  await ask["lock.setPassphrase"]({ passphrase: PASSPHRASE, current: null });
  const before = readFileSync(join(homeDir, "device.locked"));
  const change = (current: string | null) =>
    ask["lock.setPassphrase"]({ passphrase: "two green cows sleep", current });
  await expect(change(null)).rejects.toThrow(refusedAs("ERR_LOCKED"));
  await expect(change("two green cows sleep")).rejects.toThrow(refusedAs("ERR_PASSPHRASE"));
  expect(readFileSync(join(homeDir, "device.locked"))).toEqual(before);
  await change(PASSPHRASE);
  await ask["lock.now"]({});
  await expect(ask["lock.open"]({ passphrase: PASSPHRASE })).rejects.toThrow(
    refusedAs("ERR_PASSPHRASE"),
  );
  await ask["lock.open"]({ passphrase: "two green cows sleep" });
});

test("a passphrase that is too short is not taken, and the key stays where it was", async () => {
  const { ask } = await start();
  await expect(
    ask["lock.setPassphrase"]({ passphrase: "eleven char", current: null }),
  ).rejects.toThrow(refusedAs("ERR_PASSPHRASE_SHORT"));
  expect(existsSync(join(homeDir, "device.key"))).toBe(true);
});

test("the system's key store opens it again without a passphrase", async () => {
  const { ask } = await start(sealer("gnome_libsecret"));
  expect(await ask["lock.now"]({})).toMatchObject({ isLocked: true, opensWith: "keyring" });
  expect(await ask["lock.open"]({ passphrase: null })).toMatchObject({ isLocked: false });
});

test("locking ends every worker and the demo node", async () => {
  const { ask, node } = await start(sealer("gnome_libsecret"));
  const { id } = await ask["demo.start"]({});
  await ask["nodes.confirm"]({ node: id });
  await ask["lock.now"]({});
  expect(node.wasStopped).toBe(true);
  await ask["lock.open"]({ passphrase: null });
  expect((await ask["console.state"]({})).nodes).toEqual([]);
});

test("it locks after the minutes that were set, counted from the last hand on it", async () => {
  const { ask } = await start(sealer("gnome_libsecret"));
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  await ask["lock.setIdle"]({ minutes: 5 });
  await vi.advanceTimersByTimeAsync(4 * 60_000);
  await ask["lock.active"]({});
  await vi.advanceTimersByTimeAsync(5 * 60_000 - 1);
  expect((await ask["lock.get"]({})).isLocked).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await vi.waitFor(async () => expect((await ask["lock.get"]({})).isLocked).toBe(true));
});

test.each(["a hand", "the machine's waking"])(
  "after a sleep longer than the minutes that were set, %s finds it locked",
  async (what) => {
    const { ask, locked } = await start(sealer("gnome_libsecret"));
    await ask["lock.setIdle"]({ minutes: 5 });
    const power = new EventEmitter();
    lockWithMachine(power, locked);
    const wake = async () =>
      what === "a hand" ? ask["lock.active"]({}) : void power.emit("resume");
    const begun = Date.now();
    // The timers' clock stands still meanwhile, as it does while Linux sleeps.
    vi.useFakeTimers({ toFake: ["Date"], now: begun + 5 * 60_000 - 1_000 });
    await locked.lockIfLeft();
    expect((await ask["lock.get"]({})).isLocked).toBe(false);
    vi.setSystemTime(begun + 6 * 60_000);
    await wake();
    await vi.waitFor(async () => expect((await ask["lock.get"]({})).isLocked).toBe(true));
  },
);

test.each(["lock-screen", "suspend"])("it locks at the machine's %s", async (event) => {
  const { ask, locked } = await start(sealer("gnome_libsecret"));
  const power = new EventEmitter();
  lockWithMachine(power, locked);
  power.emit(event);
  await vi.waitFor(async () => expect((await ask["lock.get"]({})).isLocked).toBe(true));
});
