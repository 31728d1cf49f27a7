/**
 * What this machine's half does with a node that stands, and the server's half with it, over a shell that is no SSH: an
 * update is approved above what the installer has seen, and a next key is signed for, or given up.
 *
 * @module
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nextSeenDevices, openDeviceList, originOf, type NodeProfile } from "@phantoma/client";
import { generateDeviceIdentity } from "@phantoma/crypto";
import { rotateKey, update } from "@phantoma/provision";
import type { ServerFolder } from "../../../packages/provision/src/host/test-server-folder.ts";
import type { Bundle } from "../../../tools/bundle/bundle.ts";
import type { Proof } from "../../proof.ts";
import { LocalShell } from "./local-shell.ts";

const SETUP = "var/lib/phantoma-setup";
const STANDING = "var/lib/phantoma/installer/standing.json";
/** Milliseconds by which an order of before may be ahead of this machine's clock. */
const AHEAD_MS = 3_600_000;

/** @param signed everything that is published of the release */
export async function showUpdateFromHere(
  proof: Proof,
  server: ServerFolder,
  { path, size, sha256, manifest }: Bundle,
  signed: string,
): Promise<void> {
  const shell = new LocalShell(server);
  const ahead = String(Date.now() + AHEAD_MS);
  writeFileSync(
    server.path(STANDING),
    JSON.stringify({
      counter: ahead,
      policyCounter: "0",
      approval: null,
      isUsed: true,
      floor: "0.1.0",
    }),
  );
  const files = ["metadata", "targets"].flatMap((dir) =>
    readdirSync(join(signed, dir))
      .filter((name) => !name.endsWith(".tar.gz"))
      .map((name) => [`${dir}/${name}`, readFileSync(join(signed, dir, name))] as const),
  );
  const ended = await endOf(
    update({
      ...optionsOf(server, shell),
      bundle: { path, size, sha256 },
      version: manifest.version,
      signed: new Map(files),
    }),
  );
  const { counter } = JSON.parse(readFileSync(server.path(STANDING), "utf8")) as {
    counter: string;
  };
  proof.row({
    name: "an update that is sent from here is approved above what the installer has seen, as every order is",
    holds: ended === "done" && BigInt(counter) === BigInt(ahead) + 1n,
    detail: ended,
  });
  shell.remove();
}

export async function showNextKeyFromHere(
  proof: Proof,
  node: ServerFolder,
  copy: (server: ServerFolder) => ServerFolder,
): Promise<void> {
  const shell = new LocalShell(node);
  const options = optionsOf(node, shell);
  const current = newestList(node);
  const seen = nextSeenDevices(undefined, current);
  const first = await rotateKey({ ...options, seen: { ...seen, admins: ["ab".repeat(32)] } });
  proof.row({
    name: "this machine, an admin only since it last looked, knows the node by its next key, keeps the one before, and knows the first list there",
    holds:
      first.profile.nodeKey === node.nodeKey &&
      originOf(first.profile) === options.known.nodeKey &&
      first.seen.hash === Buffer.from(newestList(node).hash).toString("hex"),
  });
  const again = await rotateKey({ ...options, seen });
  proof.row({
    name: "one whose answer was lost asks again, and is given the same",
    holds:
      again.profile.nodeKey === first.profile.nodeKey && node.nodeKey === first.profile.nodeKey,
  });
  shell.remove();

  const refusals: [string, string, Partial<Parameters<typeof rotateKey>[0]>][] = [
    [
      "a device that is no admin signs nothing",
      "ERR_FORBIDDEN",
      { device: generateDeviceIdentity() },
    ],
    [
      "a server that goes back behind the list that was seen here is signed nothing",
      "ERR_NODE_IDENTITY",
      { seen: { ...first.seen, version: 9 } },
    ],
  ];
  for (const [name, code, change] of refusals) {
    const server = copy(node);
    const there = new LocalShell(server);
    const known = optionsOf(server, there);
    const ended = await endOf(rotateKey({ ...known, seen: first.seen, ...change }));
    proof.row({
      name: `${name}, and what was prepared is gone: ${code}`,
      holds:
        ended === code &&
        server.nodeKey === node.nodeKey &&
        !readdirSync(server.path(SETUP)).includes("next"),
      detail: ended,
    });
    there.remove();
  }
  const stranger = copy(node);
  const there = new LocalShell(stranger);
  const known = { ...optionsOf(stranger, there).known, nodeKey: "ab".repeat(32) };
  const ended = await endOf(rotateKey({ ...optionsOf(stranger, there), known, seen: undefined }));
  proof.row({
    name: "a node that is not the one that is known here is left alone: ERR_NODE_CHANGED",
    holds: ended === "ERR_NODE_CHANGED" && stranger.nodeKey === node.nodeKey,
    detail: ended,
  });
  there.remove();
}

function optionsOf(server: ServerFolder, shell: LocalShell) {
  const text = readFileSync(server.path(SETUP, "identity.json"), "utf8");
  const identity = JSON.parse(text) as Pick<NodeProfile, "nodeKey" | "tlsCertificate">;
  const known: NodeProfile = {
    name: "known",
    url: "wss://127.0.0.1:7443",
    ...identity,
    starter: "systemd",
    policy: "enforced",
    release: readFileSync(server.path("opt/phantoma/current/bundle.sha256"), "ascii").trim(),
  };
  return {
    connect: async () => shell.rootShell,
    host: "127.0.0.1",
    port: 7443,
    name: "known",
    device: server.device,
    deviceName: "first",
    hear: () => undefined,
    known,
  };
}

function newestList(server: ServerFolder) {
  const dir = server.path("var/lib/phantoma/devices");
  const names = readdirSync(dir).filter((name) => name.endsWith(".list"));
  return openDeviceList(readFileSync(join(dir, names.toSorted().at(-1)!)), server.nodeKey!);
}

function endOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "done",
    (error: { code?: string; message: string }) => error.code ?? error.message,
  );
}
