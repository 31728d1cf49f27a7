/**
 * What somebody who has the node can do to what it keeps: on its disk, and in what it answers.
 *
 * Each attack is tried on a device that has nothing yet; the same device without the attack gets everything.
 *
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs";
import { syncVault, type VaultLink } from "@phantoma/client";
import { MAX_VAULT_BLOB_BYTES, vaultKeysOf, type VaultRow } from "@phantoma/crypto";
import { LocalVault } from "@phantoma/vault";
import type { Proof } from "../../proof.ts";
import { newConversation, type Stage } from "./stage.ts";
import { objectFiles, withMethod } from "./three-devices.ts";

type Attack = (link: VaultLink) => VaultLink;

const onBlobs =
  (change: (blobs: Uint8Array[]) => Uint8Array[]): Attack =>
  (link) =>
    withMethod(link, "get", async (objects) => change(await link.get(objects)));

const inAnswers: Readonly<Record<string, Attack>> = {
  "a bit of the header flipped": onBlobs((blobs) => blobs.map((blob) => flipped(blob, 9))),
  "a bit of the wrapped key flipped": onBlobs((blobs) => blobs.map((blob) => flipped(blob, 100))),
  "a bit of the content flipped": onBlobs((blobs) => blobs.map((blob) => flipped(blob, 300))),
  "the last bit flipped": onBlobs((blobs) => blobs.map((blob) => flipped(blob, blob.length - 1))),
  "cut off": onBlobs((blobs) => blobs.map((blob) => blob.subarray(0, -1))),
  empty: onBlobs((blobs) => blobs.map(() => new Uint8Array(0))),
  huge: onBlobs((blobs) => blobs.map(() => new Uint8Array(MAX_VAULT_BLOB_BYTES))),
  "swapped between objects": onBlobs((blobs) => blobs.toReversed()),
  "other bytes that are really ours": onBlobs((blobs) => blobs.map(() => blobs.at(-1)!)),
  "a list with one object less": (link) =>
    withMethod(link, "rows", async (...asked) => (await link.rows(...asked)).slice(1)),
  "a list with another revision": (link) =>
    withMethod(link, "rows", async (...asked) =>
      (await link.rows(...asked)).map((row): VaultRow => ({ ...row, revision: row.revision + 1 })),
    ),
  "the newest heads kept back": (link) => withMethod(link, "heads", async () => []),
  "a head changed": (link) =>
    withMethod(link, "heads", async (after) =>
      (await link.heads(after)).map((head) => flipped(head, 60)),
    ),
  "the newest key kept back": (link) =>
    withMethod(link, "epochs", async () => (await link.epochs()).slice(0, -1)),
  "a key's document changed": (link) =>
    withMethod(link, "epochs", async () => (await link.epochs()).map((one) => flipped(one, 60))),
  "wrapped keys of other devices": (link) =>
    withMethod(link, "state", async () => {
      const state = await link.state();
      return {
        ...state,
        wraps: Buffer.concat([state.wraps.subarray(1248), state.wraps.subarray(0, 1248)]),
      };
    }),
};

export async function attackTable(proof: Proof, stage: Stage): Promise<void> {
  for (const [name, attack] of Object.entries(inAnswers)) await show(proof, stage, name, attack);
  const files = objectFiles(stage);
  const [path, other] = files as [string, string];
  const honest = readFileSync(path);
  const onDisk = {
    "a file on the node's disk changed": flipped(honest, 250),
    "a file on the node's disk cut off": honest.subarray(0, 200),
    "a file on the node's disk replaced by another": readFileSync(other),
  };
  for (const [name, bytes] of Object.entries(onDisk)) {
    writeFileSync(path, bytes);
    await show(proof, stage, name, (link) => link);
    writeFileSync(path, honest);
  }
  await rolledBack(proof, stage);
  const { code, size } = await attempt(stage, (link) => link);
  const held = stage.desk.local.size;
  proof.control("without an attack the same device gets everything", size === held, code);
}

/** The node as somebody restored it from a backup, to a device that has seen more. */
async function rolledBack(proof: Proof, stage: Stage): Promise<void> {
  const { desk } = stage;
  const session = await stage.connect(desk);
  try {
    const link = session.vault;
    const before = await link.state();
    desk.local.save(newConversation(stage.canary));
    await syncVault(stage.options(desk, link));
    const size = desk.local.size;
    const old = withMethod(
      withMethod(link, "state", async () => before),
      "heads",
      async () => [],
    );
    const code = await syncVault(stage.options(desk, old)).then(
      () => "it succeeded",
      (error: { code?: string }) => error.code ?? "no code",
    );
    proof.row({
      name: "refused, and nothing lost: everything as it was before",
      holds: code === "ERR_VAULT_ROLLED_BACK" && desk.local.size === size,
      detail: code,
      code,
    });
  } finally {
    session.close();
  }
}

async function show(proof: Proof, stage: Stage, name: string, attack: Attack): Promise<void> {
  const { code, size, message } = await attempt(stage, attack);
  proof.row({
    name: `refused, and nothing taken: ${name}`,
    holds: code.startsWith("ERR_VAULT_") && size === 0 && !message.includes(stage.canary),
    detail: code,
    code,
  });
}

/** The desk's own keys on a machine with an empty store: what a restored laptop would do. */
async function attempt(stage: Stage, attack: Attack) {
  const { desk } = stage;
  const { storeKey } = vaultKeysOf(desk.identity);
  const local = LocalVault.open(":memory:", storeKey);
  const session = await stage.connect(desk);
  try {
    await syncVault({ ...stage.options(desk, attack(session.vault)), local });
    return { code: "it succeeded", message: "", size: local.size };
  } catch (error) {
    const { code = "no code", message } = error as { code?: string; message: string };
    return { code, message, size: local.size };
  } finally {
    session.close();
    local.close();
  }
}

function flipped(bytes: Uint8Array, at: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at]! ^= 1;
  return changed;
}
