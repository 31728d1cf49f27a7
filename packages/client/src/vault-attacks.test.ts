/**
 * Everything that whoever has the node, its disk or the network can do to what is kept there: each is refused with a
 * code, nothing of it reaches the store, and no error has a word of what was saved.
 */
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  decodeVaultRows,
  documentHash,
  encodeVaultRow,
  MAX_VAULT_BLOB_BYTES,
  vaultHeadDocument,
  vaultRoot,
} from "@phantoma/crypto";
import { LISTED_ROW_BYTES, MAX_VAULT_ROWS } from "@phantoma/protocol";
import { VaultError, type LocalVault } from "@phantoma/vault";
import { describe, expect, test } from "vitest";
import {
  conversationOf,
  openLocal,
  VaultUnderTest,
  type Tamper,
} from "../../../tests/vault-under-test.ts";
import { joinVault, syncVault } from "./vault-sync.ts";
import { Vaults } from "../../../apps/node/keeper/vault/vaults.ts";

const ONE = "00000000000000a1";
const TWO = "00000000000000a2";
const SECRET = "canary-of-a-saved-question";

/** Two devices with one vault; the second has seen one version, and the first has written more since. */
async function stage() {
  const vault = new VaultUnderTest();
  const desk = openLocal(vault.admin);
  desk.save(conversationOf(ONE, `${SECRET} one`, "answer"));
  desk.save(conversationOf(TWO, `${SECRET} two`, "answer"));
  await syncVault(vault.options(vault.admin, desk));
  const laptop = vault.addDevice("laptop");
  const local = openLocal(laptop);
  await joinVault(vault.options(laptop, local), vault.admin.signing.publicKey);
  const admit = laptop.signing.publicKey;
  await syncVault({ ...vault.options(vault.admin, desk), admit });
  await syncVault(vault.options(laptop, local));
  // As somebody who backs the node's disk up would have it.
  const oldDir = mkdtempSync(join(tmpdir(), "phantoma-vault-old-"));
  cpSync(vault.dir, oldDir, { recursive: true });
  const before = new Vaults(oldDir, vault.node, () => vault.list);
  const longer = conversationOf(ONE, `${SECRET} one`, "answer", `${SECRET} more`);
  desk.save(longer);
  await syncVault(vault.options(vault.admin, desk));
  return { vault, desk, local, laptop, before };
}

const flip = (base64: string, at: number): string => {
  const bytes = Buffer.from(base64, "base64");
  bytes[at < 0 ? bytes.length + at : at]! ^= 1;
  return bytes.toString("base64");
};
const onBlobs =
  (change: (blobs: string[]) => string[]): Tamper =>
  (response) =>
    response.response === "vault-blobs" ? { ...response, blobs: change(response.blobs) } : response;
const onDocuments =
  (of: string, change: (documents: string[]) => string[]): Tamper =>
  (response, request: any) =>
    request.request === "vault-documents" && request.of === of && response.documents.length > 0
      ? { ...response, documents: change(response.documents) }
      : response;
const onState =
  (change: (state: any) => any): Tamper =>
  (response) =>
    response.response === "vault" ? { ...response, ...change(response) } : response;

const attacks: readonly (readonly [string, string, Tamper])[] = [
  ...[0, 7, 8, 11, 12, 60, 139, 140, 200, 300, -1].map(
    (at) =>
      [
        `bit ${at} of a blob flipped`,
        "ERR_VAULT_FORGED",
        onBlobs((blobs) => blobs.map((blob) => flip(blob, at))),
      ] as const,
  ),
  [
    "a blob cut off",
    "ERR_VAULT_FORGED",
    onBlobs((blobs) => blobs.map((blob) => flip(blob, 0).slice(0, 400))),
  ],
  ["an empty blob", "ERR_VAULT_FORGED", onBlobs((blobs) => blobs.map(() => ""))],
  [
    "a huge blob",
    "ERR_VAULT_FORGED",
    onBlobs((blobs) => blobs.map(() => Buffer.alloc(MAX_VAULT_BLOB_BYTES).toString("base64"))),
  ],
  ["no blob at all", "ERR_INVALID_MESSAGE", onBlobs(() => [])],
  ["more blobs than were asked for", "ERR_INVALID_MESSAGE", onBlobs((b) => [...b, ...b, ...b])],
  [
    "a head changed",
    "ERR_VAULT_FORGED",
    onDocuments("heads", (d) => d.map((one) => flip(one, 60))),
  ],
  [
    "a head's signature changed",
    "ERR_VAULT_FORGED",
    onDocuments("heads", (d) => d.map((one) => flip(one, -1))),
  ],
  ["heads kept back", "ERR_VAULT_ROLLED_BACK", onDocuments("heads", () => [])],
  [
    "an epoch changed",
    "ERR_VAULT_FORGED",
    onDocuments("epochs", (d) => d.map((one) => flip(one, 50))),
  ],
  [
    "a carried key changed",
    "ERR_VAULT_FORGED",
    onDocuments("epochs", (d) => d.map((one, i) => (i === d.length - 1 ? flip(one, 200) : one))),
  ],
  [
    "the last epoch kept back",
    "ERR_VAULT_ROLLED_BACK",
    (response, request: any) =>
      request.of === "epochs"
        ? { ...response, documents: request.after === 0 ? response.documents.slice(0, -1) : [] }
        : response,
  ],
  [
    "a wrapped key changed",
    "ERR_VAULT_FORGED",
    onState(({ wraps }) => ({ wraps: flip(wraps, 1300) })),
  ],
  [
    "wrapped keys swapped between devices",
    "ERR_VAULT_FORGED",
    onState(({ wraps }) => {
      const bytes = Buffer.from(wraps, "base64");
      return {
        wraps: Buffer.concat([bytes.subarray(1248), bytes.subarray(0, 1248)]).toString("base64"),
      };
    }),
  ],
  ["wrapped keys cut off", "ERR_VAULT_DAMAGED", onState(() => ({ wraps: "AAAA" }))],
  ["the vault denied", "ERR_VAULT_ROLLED_BACK", onState(() => ({ head: null, wraps: "" }))],
  [
    "a row of the list changed",
    "ERR_VAULT_FORGED",
    (response) =>
      response.response === "vault-rows" && response.rows
        ? { ...response, rows: flip(response.rows, 20) }
        : response,
  ],
  [
    "the list emptied",
    "ERR_VAULT_FORGED",
    (response) => (response.response === "vault-rows" ? { ...response, rows: "" } : response),
  ],
];

describe("what a taken-over node answers", () => {
  test.each(attacks)("%s: %s", async (_, code, tamper) => {
    const { vault, local, laptop } = await stage();
    vault.tamper = tamper;
    await refused(syncVault(vault.options(laptop, local)), code);
    assertUnharmed(local);
    // The same sync without the attack succeeds, so the attack is why it did not.
    vault.tamper = (response) => response;
    await syncVault(vault.options(laptop, local));
    expect(local.get(ONE).messages).toHaveLength(3);
  });

  test("everything as it was before: refused as rolled back", async () => {
    const { vault, desk, local, laptop, before } = await stage();
    await syncVault(vault.options(laptop, local));
    vault.vaults = before;
    await refused(syncVault(vault.options(vault.admin, desk)), "ERR_VAULT_ROLLED_BACK");
    await refused(syncVault(vault.options(laptop, local)), "ERR_VAULT_ROLLED_BACK");
    expect([desk, local].map((store) => store.get(ONE).messages.length)).toEqual([3, 3]);
  });

  test("one object as it was before, by bytes that were really ours: refused", async () => {
    const { vault, local, laptop, before } = await stage();
    const folder = before.of(vault.admin.signing.publicKey)!;
    const old = await folder.get(folder.rows.get(ONE)!.hash);
    vault.tamper = onBlobs((blobs) => blobs.map(() => old.toString("base64")));
    await refused(syncVault(vault.options(laptop, local)), "ERR_VAULT_FORGED");
    assertUnharmed(local);
  });

  test("two objects swapped, to a device that has neither", async () => {
    const { vault } = await stage();
    const fresh = openLocal(vault.admin);
    vault.tamper = onBlobs((blobs) => blobs.toReversed());
    await refused(syncVault(vault.options(vault.admin, fresh)), "ERR_VAULT_FORGED");
    expect(fresh.size).toBe(0);
  });

  test("two histories: whoever saw one does not follow the other", async () => {
    const { vault, desk, local, laptop } = await stage();
    await syncVault(vault.options(laptop, local));
    // A second history from the same version, signed by the same device: a restored backup of it would do this.
    const [, head] = forgedNext(vault, desk);
    vault.tamper = (response, request: any) => {
      if (request.of === "heads")
        return { ...response, documents: request.after < 5 ? [head] : [] };
      return response.response === "vault" ? { ...response, head } : response;
    };
    await refused(syncVault(vault.options(laptop, local)), "ERR_VAULT_FORKED");
  });

  test("a stranger's vault that this device was moved into is not used", async () => {
    const { vault } = await stage();
    const stranger = vault.addDevice("stranger");
    const theirs = openLocal(stranger);
    await syncVault(vault.options(stranger, theirs));
    const victim = vault.addDevice("victim");
    const local = openLocal(victim);
    local.save(conversationOf(ONE, SECRET, "answer"));
    // The victim's card is there because it once wanted to join another device.
    await joinVault(vault.options(victim, local), vault.admin.signing.publicKey);
    const admit = victim.signing.publicKey;
    // A node that was taken over would say that it wants to join the stranger.
    const name = Buffer.from(admit).toString("hex");
    const card = readFileSync(join(vault.dir, "cards", name));
    card.set(stranger.signing.publicKey);
    writeFileSync(join(vault.dir, "cards", name), card);
    await syncVault({ ...vault.options(stranger, theirs), admit });
    await refused(syncVault(vault.options(victim, local)), "ERR_VAULT_NOT_JOINED");
    expect(theirs.size).toBe(0);
  });

  test("a list of objects that never ends is stopped, and documents without end", async () => {
    const { vault, local, laptop } = await stage();
    let asked = 0;
    vault.tamper = (response, request: any) => {
      if (request.request === "vault-rows") {
        asked += 1;
        const page = Buffer.alloc(MAX_VAULT_ROWS * LISTED_ROW_BYTES);
        for (let i = 0; i < MAX_VAULT_ROWS; i += 1) {
          const at = i * LISTED_ROW_BYTES;
          page.writeUInt32BE(asked, at);
          page.writeUInt32BE(i, at + 4);
          page.writeUInt32BE(1, at + 8);
        }
        return { ...response, rows: page.toString("base64") };
      }
      return response;
    };
    await refused(syncVault(vault.options(laptop, local)), "ERR_INVALID_MESSAGE");
    expect(asked).toBe(3);
    asked = 0;
    const huge = Buffer.alloc(60_000).toString("base64");
    vault.tamper = (response, request: any) => {
      if (request.of !== "epochs") return response;
      asked += 1;
      return { ...response, documents: Array.from({ length: 10 }, () => huge) };
    };
    await refused(syncVault(vault.options(laptop, local)), "ERR_INVALID_MESSAGE");
    expect(asked).toBe(14);
    assertUnharmed(local);
  });

  test("its own old vault is not used by a device that asked another one", async () => {
    const vault = new VaultUnderTest();
    const own = vault.addDevice("own");
    await syncVault(vault.options(own, openLocal(own)));
    const local = openLocal(own);
    local.save(conversationOf(ONE, SECRET, "answer"));
    const options = vault.options(own, local);
    const leave = options.link.leave.bind(options.link);
    // The node says that it was left, and keeps it.
    options.link.leave = async () => undefined;
    await joinVault(options, vault.admin.signing.publicKey);
    await refused(syncVault(options), "ERR_VAULT_NOT_JOINED");
    await leave();
  });

  test("a key that turns between two answers is a conflict, and no forgery", async () => {
    const { vault, desk, local, laptop } = await stage();
    const phone = vault.addDevice("phone");
    await joinVault(vault.options(phone, openLocal(phone)), vault.admin.signing.publicKey);
    const options = vault.options(laptop, local);
    const epochs = options.link.epochs.bind(options.link);
    let hasTurned = false;
    options.link.epochs = async () => {
      const admit = phone.signing.publicKey;
      if (!hasTurned) await syncVault({ ...vault.options(vault.admin, desk), admit });
      hasTurned = true;
      return epochs();
    };
    expect(await syncVault(options)).toMatchObject({ taken: 1 });
  });

  test("an older device list does not bring a revoked device back", async () => {
    const { vault, desk, laptop } = await stage();
    const old = vault.list;
    vault.revoke(laptop);
    expect((await syncVault(vault.options(vault.admin, desk))).hasTurned).toBe(true);
    await refused(
      syncVault({ ...vault.options(vault.admin, desk), devices: old }),
      "ERR_VAULT_ROLLED_BACK",
    );
  });
});

describe("what a device of the vault signed, and nobody can open", () => {
  /** As a member with its key: rows whose bytes are put, and no sealed conversation. */
  async function withRubbish(id: string) {
    const { vault, desk, laptop, local } = await stage();
    await syncVault(vault.options(laptop, local));
    // Before it is revoked, in the time of these tests.
    const options = { ...vault.options(laptop, local), now: 2500 };
    const { link } = options;
    local.save(conversationOf(id, "rubbish", "to come"));
    let rubbish: Uint8Array | undefined;
    const put = link.put.bind(link);
    link.put = (blob) => put((rubbish = flipped(blob)));
    const commit = link.commit.bind(link);
    const device = laptop.signing;
    link.commit = (sent) => {
      const hash = new Uint8Array(createHash("sha256").update(rubbish!).digest());
      const changes = Uint8Array.from(sent.changes);
      changes.set(hash, changes.length - hash.length);
      const rows = new Map(vault.vaults.of(device.publicKey)!.rows);
      const [row] = decodeVaultRows(changes);
      rows.set(id, { ...row!, changedIn: 0 });
      const opened = vaultHeadDocument.open(sent.head, ({ signer }) => signer);
      const head = vaultHeadDocument.sign(
        { ...opened, root: vaultRoot(rows.values()) },
        device.privateKey,
      );
      return commit({ ...sent, head, changes });
    };
    await syncVault(options);
    return { vault, desk, laptop, options: vault.options(vault.admin, desk) };
  }
  const flipped = (blob: Uint8Array) => blob.map((byte, i) => (i === 200 ? byte ^ 1 : byte));
  const THREE = "00000000000000a3";

  test("is left out and told of; all else is taken and given, and the key turns", async () => {
    const { vault, desk, laptop, options } = await withRubbish(THREE);
    desk.save(conversationOf("00000000000000a4", "of the desk", "yes"));
    vault.revoke(laptop);
    await refused(syncVault({ ...options, devices: vault.list }), "ERR_VAULT_DAMAGED");
    expect(desk.list().every(({ isSynced }) => isSynced)).toBe(true);
    const fresh = openLocal(vault.admin);
    await refused(syncVault(vault.options(vault.admin, fresh)), "ERR_VAULT_DAMAGED");
    expect(fresh.size).toBe(3);
    expect(vault.vaults.of(vault.admin.signing.publicKey)!.opened!.epoch).toBe(3);
  });

  test("is gone from the node when any device deletes it", async () => {
    const { vault, desk, options } = await withRubbish(THREE);
    await refused(syncVault(options), "ERR_VAULT_DAMAGED");
    expect(desk.isUnreadable(THREE)).toBe(true);
    desk.delete(THREE);
    await syncVault(options);
    expect(desk.rows().has(THREE)).toBe(false);
    expect(vault.vaults.of(vault.admin.signing.publicKey)!.rows.size).toBe(2);
    const fresh = openLocal(vault.admin);
    expect(await syncVault(vault.options(vault.admin, fresh))).toMatchObject({ taken: 2 });
  });

  test("does not take the place of what is here, and what is said here takes its place", async () => {
    const { vault, desk, options } = await withRubbish(ONE);
    await refused(syncVault(options), "ERR_VAULT_DAMAGED");
    expect(desk.get(ONE).messages).toHaveLength(3);
    desk.save(conversationOf(ONE, `${SECRET} one`, "answer", `${SECRET} more`, "again"));
    await syncVault(options);
    const fresh = openLocal(vault.admin);
    await syncVault(vault.options(vault.admin, fresh));
    expect(fresh.get(ONE).messages).toHaveLength(4);
  });
});

describe("a counter that a member of the vault and a node let leap together", () => {
  /** One row of the vault with another revision, under a root that is signed. */
  async function leapt(revision: (version: number) => number) {
    const { vault, desk } = await stage();
    const fresh = openLocal(vault.admin);
    const folder = vault.vaults.of(vault.admin.signing.publicKey)!;
    const rows = [...folder.rows.values()].map((row) =>
      row.object === TWO ? { ...row, revision: revision(folder.opened!.version) } : row,
    );
    const root = vaultRoot(rows);
    const head = vaultHeadDocument.sign(
      { ...folder.opened!, root },
      vault.admin.signing.privateKey,
    );
    const document = Buffer.from(head).toString("base64");
    const listed = Buffer.concat(
      rows.map((row) => Buffer.concat([encodeVaultRow(row), Buffer.alloc(4)])),
    );
    vault.tamper = (response, request: any) => {
      if (response.response === "vault-rows")
        return { ...response, rows: listed.toString("base64") };
      if (response.response === "vault") return { ...response, head: document };
      if (request.of !== "heads" || response.documents.length === 0) return response;
      return { ...response, documents: [...response.documents.slice(0, -1), document] };
    };
    desk.close();
    return syncVault(vault.options(vault.admin, fresh));
  }

  test.each([
    ["past the versions of the vault", (version: number) => version + 1],
    ["to the end of its field", () => 2 ** 32 - 1],
    ["to nothing", () => 0],
  ])("%s is refused before anything of it is taken", async (_how, revision) => {
    await refused(leapt(revision), "ERR_VAULT_FORGED");
  });

  test("up to the version of the vault is not: its bytes are looked at, and are another revision's", async () => {
    await refused(
      leapt((version) => version),
      "ERR_VAULT_DAMAGED",
    );
  });
});

/** A next head on top of the newest but one, signed by the desk. */
function forgedNext(vault: VaultUnderTest, desk: LocalVault): [Uint8Array, string] {
  const folder = vault.vaults.of(vault.admin.signing.publicKey)!;
  const opened = folder.opened!;
  const head = vaultHeadDocument.sign(
    {
      ...opened,
      version: opened.version + 1,
      previous: new Uint8Array(createHash("sha256").update("another history").digest()),
      objects: desk.size,
      root: vaultRoot(folder.rows.values()),
    },
    vault.admin.signing.privateKey,
  );
  return [documentHash(head), Buffer.from(head).toString("base64")];
}

async function refused(attempt: Promise<unknown>, code: string): Promise<void> {
  const error = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown as VaultError,
  );
  expect(error?.code).toBe(code);
  expect(`${error?.message} ${error?.stack}`).not.toContain(SECRET);
  expect(error?.action).toMatch(/\w/);
}

/** What it had before, and nothing else. */
function assertUnharmed(local: LocalVault): void {
  expect(local.size).toBe(2);
  expect(local.get(ONE).messages).toHaveLength(2);
  expect(local.search(SECRET)).toHaveLength(2);
}
