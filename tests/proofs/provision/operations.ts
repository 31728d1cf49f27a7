/**
 * What is done to a node that stands, in a folder: a newer release, the one from before, another identity; and the
 * releases that a node refuses, whoever sends them.
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { generateDeviceIdentity, updateApprovalDocument } from "@phantoma/crypto";
import type {
  ServerFolder,
  SmallReleases,
} from "../../../packages/provision/src/host/test-server-folder.ts";
import type { Bundle } from "../../../tools/bundle/bundle.ts";
import type { Proof } from "../../proof.ts";
import { showUpdateFromHere } from "./from-here.ts";
import type { Publisher } from "../update/publisher.ts";

export interface Stage {
  readonly proof: Proof;
  readonly releases: SmallReleases;
  readonly publisher: Publisher;
  /** The one that is installed. */
  readonly release: Bundle;
  readonly node: ServerFolder;
  readonly copy: (server: ServerFolder) => ServerFolder;
}

const SETUP = "var/lib/phantoma-setup";
/** What no update and no way back may touch: all but what the installer remembers, and says of its last run. */
const DATA = /^var\/lib\/phantoma\/(?!installer|outcome)/;

export async function showOperations(stage: Stage): Promise<void> {
  const { proof, releases, publisher, node, copy } = stage;
  const [newer, newest] = [await releases.make("0.2.0"), await releases.make("0.3.0")];
  const signed = await publisher.release(newer);
  await showRefused(stage, newer, signed);

  await showUpdateFromHere(proof, copy(node), newer, signed);
  const data = dataOf(node);
  const { nodeKey } = node;
  offer(node, newer, signed);
  await node.killedAt("release");
  const last = await node.run();
  proof.row({
    name: "an update that is killed in the middle goes on, and keeps every file of the node's",
    holds: last?.kind === "ended" && versionOf(node) === "0.2.0" && dataOf(node) === data,
    detail: last?.kind === "failed" ? last.why : versionOf(node),
  });
  const again = await node.run();
  proof.row({
    name: "the same update once more changes nothing",
    holds: again?.kind === "ended" && versionOf(node) === "0.2.0" && dataOf(node) === data,
  });

  node.order({ sha256: newer.sha256, rollbackTo: "0.1.0" });
  const back = await node.run("rollback");
  const backAgain = await node.run("rollback");
  proof.row({
    name: "a way back leads to the release from before, once, and keeps the same files",
    holds:
      back?.kind === "ended" &&
      backAgain?.kind === "ended" &&
      versionOf(node) === "0.1.0" &&
      dataOf(node) === data,
    detail: back?.kind === "failed" ? back.why : versionOf(node),
  });
  offer(node, newer, signed);
  const refused = await node.run();
  proof.row({
    name: "the release that was left is not installed again",
    holds: refused?.kind === "failed" && versionOf(node) === "0.1.0",
    detail: refused?.kind === "failed" ? refused.why : "",
  });
  offer(node, newest, await publisher.release(newest));
  const onward = await node.run();
  proof.row({
    name: "and one that is newer still is",
    holds: onward?.kind === "ended" && versionOf(node) === "0.3.0" && nodeKey === node.nodeKey,
    detail: onward?.kind === "failed" ? onward.why : versionOf(node),
  });
  await showReset(stage, copy(node));
}

async function showReset({ proof }: Stage, node: ServerFolder): Promise<void> {
  const [key, models] = [node.nodeKey, dataOf(node, /^var\/lib\/phantoma\/models/)];
  node.order({ resetId: randomBytes(16).toString("hex") });
  const wants = await node.run("reset");
  node.nameDevice();
  const last = await node.run("reset");
  proof.row({
    name: "a reset makes another node of it, with a new first device, and keeps its models",
    holds:
      wants?.kind === "wants" &&
      last?.kind === "ended" &&
      node.nodeKey !== undefined &&
      node.nodeKey !== key &&
      dataOf(node, /^var\/lib\/phantoma\/models/) === models,
    detail: last?.kind === "failed" ? last.why : "",
  });
  const after = node.nodeKey;
  await node.run("reset");
  proof.row({ name: "the same reset is not done twice", holds: node.nodeKey === after });
}

async function showRefused(stage: Stage, newer: Bundle, signed: string): Promise<void> {
  const { proof, publisher, node, copy } = stage;
  const refusals: Record<string, { code: string; send: (server: ServerFolder) => void }> = {
    "a bundle with one bit changed": {
      code: "ERR_RELEASE_REFUSED",
      send(server) {
        offer(server, newer, signed);
        const path = server.path(SETUP, "bundle.tar.gz");
        const bytes = readFileSync(path);
        bytes[bytes.length - 9]! ^= 1;
        writeFileSync(path, bytes);
      },
    },
    "a bundle that one engineer signed": {
      code: "ERR_RELEASE_REFUSED",
      send: (server) => offer(server, newer, publisher.signedByOne()),
    },
    "an approval by a device that is not the node's": {
      code: "ERR_APPROVAL",
      send: (server) => offer(server, newer, signed, generateDeviceIdentity()),
    },
  };
  for (const [name, { code, send }] of Object.entries(refusals)) {
    const server = copy(node);
    send(server);
    const last = await server.run();
    proof.row({
      name: `${name} is refused: ${code}`,
      holds: last?.kind === "failed" && last.why.startsWith(code) && versionOf(server) === "0.1.0",
      detail: last?.kind === "failed" ? last.why.slice(0, 120) : "",
    });
  }
}

/** As it arrives over SSH. @param device approves it */
function offer(server: ServerFolder, bundle: Bundle, signed: string, device = server.device): void {
  const dir = server.path(SETUP, "update");
  mkdirSync(dir, { recursive: true });
  cpSync(signed, dir, { recursive: true });
  const { publicKey: signer, privateKey } = device.signing;
  const approval = updateApprovalDocument.sign(
    {
      node: Buffer.from(server.nodeKey!, "hex"),
      counter: BigInt(Date.now()),
      notAfter: Date.now() + 600_000,
      signer,
      release: Buffer.from(bundle.sha256, "hex"),
      version: bundle.manifest.version,
    },
    privateKey,
  );
  writeFileSync(server.path(SETUP, "update/update.approval"), approval);
  server.send(bundle);
  server.order({ sha256: bundle.sha256 });
}

function versionOf(server: ServerFolder): string {
  return readlinkSync(server.path("opt/phantoma/current")).split("/").at(-1)!;
}

/** Digest over names, modes and bytes. */
function dataOf(server: ServerFolder, which = DATA): string {
  const hash = createHash("sha256");
  for (const [path, what] of server.look()) {
    if (!which.test(path)) continue;
    hash.update(`${path} ${what}\n`);
    if (what.startsWith("file")) hash.update(readFileSync(server.path(path)));
  }
  return hash.digest("hex");
}
