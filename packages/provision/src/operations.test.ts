/** A node's next key, asked for from here, on a server that is a folder: the release's own set-up does its half. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { nextSeenDevices, openDeviceList, type SeenDevices } from "@phantoma/client";
import { expect, onTestFinished, test } from "vitest";
import { LocalShell } from "../../../tests/proofs/provision/local-shell.ts";
import { ServerFolder, SmallReleases } from "./host/test-server-folder.ts";
import { rotateKey } from "./operations.ts";
import type { RootShell } from "./ssh/root-shell.ts";

const isRoot = process.getuid?.() === 0;
/** Milliseconds; a whole set-up and a rotation, each in processes of their own. */
const PATIENCE_MS = 120_000;

/** A node that was set up, and how it is known here. */
async function standing() {
  const releases = new SmallReleases();
  onTestFinished(() => releases.remove());
  const root = mkdtempSync("/var/tmp/standing-");
  onTestFinished(() => rmSync(root, { recursive: true }));
  const server = new ServerFolder(root, await releases.make("1.0.0"));
  expect(await server.whole()).toMatchObject({ kind: "ended" });
  const identity = JSON.parse(
    readFileSync(server.path("var/lib/phantoma-setup/identity.json"), "utf8"),
  );
  const release = readFileSync(server.path("opt/phantoma/current/bundle.sha256"), "ascii").trim();
  const node = {
    name: "known",
    url: "wss://127.0.0.1:7443",
    starter: "systemd",
    policy: "enforced",
  };
  return { server, known: { ...node, ...identity, release } };
}

function seenOf(server: ServerFolder): SeenDevices {
  const dir = server.path("var/lib/phantoma/devices");
  const newest = readdirSync(dir)
    .filter((name) => name.endsWith(".list"))
    .toSorted()
    .at(-1)!;
  return nextSeenDevices(
    undefined,
    openDeviceList(readFileSync(join(dir, newest)), server.nodeKey!),
  );
}

test.skipIf(!isRoot)(
  "a run that ended after the approval goes on, also on a device that is an admin only since it last looked",
  { timeout: PATIENCE_MS },
  async () => {
    const { server, known } = await standing();
    const local = new LocalShell(server);
    onTestFinished(() => local.remove());
    const over = new AbortController();
    let isOnServer = false;
    /** Somebody ends the program when the approval has just come to the server. */
    const shell = {
      async run(script: string, options: Parameters<LocalShell["run"]>[1]) {
        const ended = await local.run(script, options);
        isOnServer ||= script.includes("/next/devices-1.list");
        if (isOnServer) over.abort();
        return ended;
      },
      close: () => undefined,
    } as unknown as RootShell;
    const options = {
      connect: async () => shell,
      host: "127.0.0.1",
      port: 7443,
      name: "known",
      device: server.device,
      deviceName: "first",
      hear: () => undefined,
      known,
    };
    let seen: SeenDevices = { ...seenOf(server), admins: ["ab".repeat(32)] };
    const remember = (next: SeenDevices) => {
      // Afterwards would be too late: there may be none.
      expect(isOnServer).toBe(false);
      seen = next;
    };
    const first = rotateKey({ ...options, seen, remember, signal: over.signal });
    await expect(first).rejects.toMatchObject({ code: "ERR_CANCELLED" });
    expect([isOnServer, server.nodeKey]).toEqual([true, known.nodeKey]);
    const { profile } = await rotateKey({ ...options, seen, remember: () => undefined });
    expect(profile.nodeKey).toBe(server.nodeKey);
    expect(profile.formerKeys).toEqual([known.nodeKey]);
  },
);
