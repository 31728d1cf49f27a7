/**
 * What was saved, when all machines are lost: the kit brings it back; a kit that was revoked opens nothing that came since.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { ControlSession, type LocalNode } from "@phantoma/client";
import { loadXWing, vaultHeadDocument, vaultKeysOf, type DeviceIdentity } from "@phantoma/crypto";
import { openEpochs, openKeyring, openObject } from "@phantoma/vault";
import type { Proof } from "../../proof.ts";
import type { Machine, Outcome } from "./machine.ts";

interface SavedKit {
  readonly path: string;
  readonly words: string;
  /** As it is typed. */
  readonly passphrase: string;
  /** Stands in the conversation that was saved before the machines were lost. */
  readonly canary: string;
}

export async function saveAndMakeKit(proof: Proof, desk: Machine, path: string): Promise<SavedKit> {
  const canary = `canary${randomBytes(12).toString("hex")}`;
  const kept = await save(desk, canary);
  const made = await desk.run(["recovery", "make", path, "--words"]);
  const said = made.said[0] as unknown as { words: string[]; opensSaved: boolean };
  proof.row({
    name: "a kit that is made when something is saved at the node is let into the vault",
    holds: kept && made.exitCode === 0 && said.opensSaved,
  });
  const words = said.words.join(" ");
  return { path, words, passphrase: `${words}\n`, canary };
}

/** @returns what is to be shown after the kit was revoked */
export async function showSavedByKit(
  proof: Proof,
  {
    node,
    laptop,
    restored,
    kit,
  }: {
    readonly node: LocalNode;
    readonly laptop: Machine;
    readonly restored: Outcome;
    readonly kit: DeviceIdentity;
  },
  { canary }: SavedKit,
): Promise<() => Promise<void>> {
  const { saved } = restored.said[0] as unknown as { saved: number | null };
  const found = await laptop.run(["vault", "search", canary]);
  const [hits] = found.said as unknown as [unknown[]];
  proof.row({
    name: "and what was saved is on it, and is read there",
    holds: saved === 1 && hits.length === 1,
    detail: `${saved} came, ${hits.length} found`,
  });
  const before = await asKit(node, laptop, kit);
  const [old] = before.objects;
  proof.control(
    "with all that the node has, the kit's key opens what is saved while the kit is in the list",
    before.refusal === "none" && before.open(old!).includes(canary),
    `key ${before.epoch}`,
  );

  return async () => {
    const later = `canary${randomBytes(12).toString("hex")}`;
    const kept = await save(laptop, later);
    const after = await asKit(node, laptop, kit);
    const fresh = after.objects.find(({ object }) => object !== old!.object)!;
    let code = "none";
    try {
      before.open(fresh);
    } catch (error) {
      code = (error as { code: string }).code;
    }
    proof.row({
      name: "a kit that was revoked opens nothing that was saved since, with all that the node has",
      holds: kept && after.refusal === "ERR_VAULT_KEY" && code === "ERR_VAULT_KEY",
      detail: `key ${after.epoch} is not for it: ${after.refusal}; with its old keys: ${code}`,
    });
  };
}

async function save(machine: Machine, text: string): Promise<boolean> {
  const said = JSON.stringify([{ role: "user", text }]);
  const saved = await machine.run(["vault", "save"], said);
  const synced = await machine.run(["vault", "sync"]);
  return saved.exitCode === 0 && synced.exitCode === 0;
}

/** A node that was taken over gives the kit's holder all it has: fetched here by a device that may. */
async function asKit({ profile }: LocalNode, { device }: Machine, kit: DeviceIdentity) {
  const session = await ControlSession.open({ profile, device });
  try {
    const { vault: link } = session;
    const { head, wraps } = await link.state();
    const { version } = vaultHeadDocument.open(head!, ({ signer }) => signer);
    const { epochs } = openEpochs(
      await link.epochs(),
      Buffer.from(profile.nodeKey, "hex"),
      undefined,
    );
    const rows = await link.rows(version, 0);
    const blobs = await link.get(rows.map(({ object }) => object));
    const objects = rows.map((row, i) => Object.assign({}, row, { blob: blobs[i]! }));
    const { xWingSeed, storeKey } = vaultKeysOf(kit);
    storeKey.erase();
    const pair = (await loadXWing()).fromSeed(xWingSeed);
    let refusal = "none";
    let keyring: ReturnType<typeof openKeyring> | undefined;
    try {
      keyring = openKeyring(epochs, wraps, kit.signing.publicKey, pair);
    } catch (error) {
      refusal = (error as { code: string }).code;
    }
    pair.erase();
    const open = ({ object, revision, blob }: (typeof objects)[number]) =>
      openObject(keyring!, { object, revision }, blob).toString("utf8");
    return { epoch: epochs.at(-1)!.epoch, objects, refusal, open };
  } finally {
    session.close();
  }
}
