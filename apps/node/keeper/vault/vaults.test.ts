/** The node's part: who may change which vault, what fits, and what a restart and a deletion leave. */
import {
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import {
  decodeVaultRows,
  documentHash,
  encodeVaultRow,
  MAX_VAULT_BLOB_BYTES,
  NO_PREVIOUS,
  vaultCardDocument,
  vaultEpochDocument,
  vaultHeadDocument,
  vaultRoot,
} from "@phantoma/crypto";
import { describe, expect, test } from "vitest";
import { conversationOf, openLocal, VaultUnderTest } from "../../../../tests/vault-under-test.ts";
import { ownXWing } from "../../../../packages/client/src/vault-keys.ts";
import { joinVault, syncVault } from "../../../../packages/client/src/vault-sync.ts";
import { answerVault } from "./vault-answers.ts";
import { MAX_EPOCHS, VaultFolder } from "./vault-folder.ts";
import { Vaults, type Commit } from "./vaults.ts";

const ONE = "00000000000000a1";
const key = (device: VaultUnderTest["admin"]) => device.signing.publicKey;

async function withOneSaved() {
  const vault = new VaultUnderTest();
  const local = openLocal(vault.admin);
  local.save(conversationOf(ONE, "question", "answer"));
  await syncVault(vault.options(vault.admin, local));
  return { vault, local };
}

/** As its program signs it. */
async function cardOf({ node }: VaultUnderTest, device: VaultUnderTest["admin"]) {
  const pair = await ownXWing(device);
  const card = { node, device: key(device), key: pair.publicKey, issuedAt: 1 };
  pair.erase();
  return vaultCardDocument.sign(card, device.signing.privateKey);
}

const objectsOf = (vault: VaultUnderTest) =>
  readdirSync(vault.dir)
    .filter((name) => name !== "cards")
    .flatMap((name) => {
      const dir = join(vault.dir, name, "objects");
      return readdirSync(dir).map((object) => join(dir, object));
    });

describe("a device", () => {
  test("sees and changes only the vault that it has a key of", async () => {
    const { vault } = await withOneSaved();
    const other = vault.addDevice("other");
    expect(vault.vaults.of(key(other))).toBeUndefined();
    const ask = (kind: any, body = Buffer.alloc(0)) =>
      answerVault(vault.vaults, key(other), kind, body);
    expect(await ask("vaultRows", Buffer.alloc(16))).toBe("ERR_VAULT_UNKNOWN");
    expect(await ask("vaultGet", Buffer.from(ONE, "hex"))).toBe("ERR_VAULT_UNKNOWN");
    expect(await ask("vaultPut", Buffer.alloc(10))).toBe("ERR_VAULT_UNKNOWN");
    expect(await ask("vaultLeave")).toBe("ERR_VAULT_UNKNOWN");
    expect(await ask("vaultDocuments", Buffer.of(1, 0, 0, 0, 0))).toBe("ERR_VAULT_UNKNOWN");
  });

  test("cannot commit another device's head, however well signed", async () => {
    const { vault } = await withOneSaved();
    const other = vault.addDevice("other");
    const folder = vault.vaults.of(key(vault.admin))!;
    const empty = new Uint8Array(0);
    const commit = { head: folder.head!, epoch: empty, wraps: empty, changes: empty };
    expect(await vault.vaults.commit(key(other), commit)).toBe("ERR_DOCUMENT_REFUSED");
    expect(await vault.vaults.commit(key(vault.admin), commit)).toBe("ERR_VAULT_CONFLICT");
  });

  test("publishes a card of its own for this node, and no other", async () => {
    const { vault } = await withOneSaved();
    const other = vault.addDevice("other");
    const card = (device: Uint8Array, node: Uint8Array) =>
      vaultCardDocument.sign(
        { node, device, key: new Uint8Array(1216), issuedAt: 1 },
        other.signing.privateKey,
      );
    const { vaults, node } = vault;
    const publish = (by: Uint8Array, document: Uint8Array) =>
      vaults.publishCard(by, new Uint8Array(32), document);
    expect(publish(key(other), card(key(other), node))).toBeUndefined();
    expect(publish(key(other), card(key(other), key(other)))).toBe("ERR_DOCUMENT_REFUSED");
    expect(publish(key(vault.admin), card(key(other), node))).toBe("ERR_DOCUMENT_REFUSED");
    expect(publish(key(other), card(key(vault.admin), node))).toBe("ERR_DOCUMENT_REFUSED");
  });

  test("is admitted only by whom it named: nobody else moves it into a vault", async () => {
    const { vault, local } = await withOneSaved();
    const [stranger, victim] = [vault.addDevice("stranger"), vault.addDevice("victim")];
    const theirs = vault.options(stranger, openLocal(stranger));
    await syncVault(theirs);
    const options = vault.options(victim, openLocal(victim));
    await joinVault(options, key(vault.admin));
    const admit = key(victim);
    const devices = vault.list;
    await expect(syncVault({ ...theirs, devices, admit })).rejects.toMatchObject({
      code: "ERR_FORBIDDEN",
    });
    expect(vault.vaults.of(admit)).toBeUndefined();
    await syncVault({ ...vault.options(vault.admin, local), admit });
    expect(await syncVault(options)).toMatchObject({ taken: 1 });
  });

  test("that asked nobody is admitted by nobody", async () => {
    const { vault, local } = await withOneSaved();
    const other = vault.addDevice("other");
    await vault.link(other).publishCard(await cardOf(vault, other));
    await expect(
      syncVault({ ...vault.options(vault.admin, local), admit: key(other) }),
    ).rejects.toMatchObject({ code: "ERR_FORBIDDEN" });
  });

  test("that dates its commit ahead is refused, so that no revocation makes it nobody's", async () => {
    const { vault, local } = await withOneSaved();
    const options = vault.options(vault.admin, local);
    const change = (answer: string) => local.save(conversationOf(ONE, "question", answer));
    change("dated ahead");
    const now = Date.now() + 70_000;
    await expect(syncVault({ ...options, now })).rejects.toMatchObject({
      code: "ERR_DOCUMENT_REFUSED",
    });
    expect(await syncVault({ ...options, now: now - 20_000 })).toMatchObject({ given: 1 });
  });

  test("is put out of a vault by nobody while it is active", async () => {
    const { vault, local } = await withOneSaved();
    const laptop = vault.addDevice("laptop");
    const theirs = vault.options(laptop, openLocal(laptop));
    await joinVault(theirs, key(vault.admin));
    await syncVault({ ...vault.options(vault.admin, local), admit: key(laptop) });
    await syncVault(theirs);
    // A list of its own making, in which the other one is revoked.
    const devices = {
      ...vault.list,
      devices: vault.list.devices.map((one) =>
        one.name === "desk" ? { ...one, revokedAt: Number.MAX_SAFE_INTEGER } : one,
      ),
    };
    await expect(syncVault({ ...theirs, devices })).rejects.toMatchObject({
      code: "ERR_FORBIDDEN",
    });
    expect(vault.vaults.of(key(vault.admin))).toBeDefined();
  });

  test.each([
    ["two more", 3],
    ["the same again", 1],
    ["none", 0],
    ["the last that the field holds", 2 ** 32 - 1],
  ])("that gives an object %s as its revision is refused", async (_which, revision) => {
    const { vault, local } = await withOneSaved();
    await refusedWithRevisions(vault, local, [revision]);
    const [kept] = [...vault.vaults.of(key(vault.admin))!.rows.values()];
    expect(kept).toMatchObject({ revision: 1 });
    // Without the leap it is taken.
    expect(await syncVault(vault.options(vault.admin, local))).toMatchObject({ given: 1 });
  });

  test("that names an object many times in one commit gives it no more revisions than one", async () => {
    const { vault, local } = await withOneSaved();
    await refusedWithRevisions(vault, local, [2, 3, 4]);
    expect(await syncVault(vault.options(vault.admin, local))).toMatchObject({ given: 1 });
  });

  test("that was revoked commits nothing more, also on a channel that is still open", async () => {
    const { vault, local } = await withOneSaved();
    const laptop = vault.addDevice("laptop");
    const options = vault.options(laptop, openLocal(laptop));
    vault.revoke(laptop);
    await expect(syncVault(options)).rejects.toMatchObject({ code: "ERR_FORBIDDEN" });
    expect(local.size).toBe(1);
  });
});

describe("room", () => {
  test("up to the limit is given, one byte more is refused with a code", async () => {
    const { vault } = await withOneSaved();
    const used = vault.vaults.usedBytes;
    const room = { ofOne: used + 1000, ofAll: used + 1000 };
    const vaults = new Vaults(vault.dir, vault.node, () => vault.list, room);
    expect(await vaults.put(key(vault.admin), Buffer.alloc(1001, 1))).toBe("ERR_VAULT_FULL");
    expect(await vaults.put(key(vault.admin), Buffer.alloc(1000, 2))).toBeUndefined();
    // What nobody committed makes room for what somebody may.
    expect(await vaults.put(key(vault.admin), Buffer.alloc(1000, 3))).toBeUndefined();
    expect(vaults.usedBytes).toBe(used + 1000);
    const all = new Vaults(vault.dir, vault.node, () => vault.list, { ...room, ofAll: used });
    expect(await all.put(key(vault.admin), Buffer.alloc(1, 4))).toBe("ERR_VAULT_FULL");
  });

  test("a blob at its limit is taken, one byte more is not", async () => {
    const { vault } = await withOneSaved();
    const put = (bytes: number) => vault.vaults.put(key(vault.admin), Buffer.alloc(bytes, 5));
    expect(await put(MAX_VAULT_BLOB_BYTES)).toBeUndefined();
    expect(await put(MAX_VAULT_BLOB_BYTES + 1)).toBe("ERR_MALFORMED");
  });

  test.each([
    [MAX_EPOCHS, undefined],
    [MAX_EPOCHS + 1, "ERR_VAULT_FULL"],
  ] as const)("a vault's key number %i: %s", async (number, refusal) => {
    const vault = new VaultUnderTest();
    const one = (of: number, since: number, previous: Uint8Array) => {
      const { node, admin } = vault;
      const place = { node, vault: new Uint8Array(16).fill(7), issuedAt: 1, signer: key(admin) };
      const members = [{ device: key(admin), wrap: new Uint8Array(32) }];
      const rest = { carriedKey: new Uint8Array(128), members };
      const epoch = vaultEpochDocument.sign(
        { ...place, epoch: of, previous, since, ...rest },
        admin.signing.privateKey,
      );
      const state = { objects: 0, root: vaultRoot([]), version: since };
      return { epoch, head: { ...place, epoch: of, epochDocument: documentHash(epoch), ...state } };
    };
    const signed = (head: any) => vaultHeadDocument.sign(head, vault.admin.signing.privateKey);
    const before = one(number - 1, 1, NO_PREVIOUS);
    const head = signed({ ...before.head, previous: NO_PREVIOUS });
    const folder = new VaultFolder(join(vault.dir, "07".repeat(16)));
    const wraps = new Uint8Array(1);
    const epoch = { number: number - 1, document: before.epoch };
    const left = new Uint8Array(0);
    await folder.commit({ head, epoch, wraps, left, rows: new Map() });
    vault.restart();
    const next = one(number, 2, documentHash(before.epoch));
    const commit = {
      head: signed({ ...next.head, previous: documentHash(head) }),
      epoch: next.epoch,
      wraps,
      changes: new Uint8Array(0),
    };
    expect(await vault.vaults.commit(key(vault.admin), commit)).toBe(refusal);
  });

  test("a full node says so, and what is here stays to be sent later", async () => {
    const { vault, local } = await withOneSaved();
    const used = vault.vaults.usedBytes;
    vault.vaults = new Vaults(vault.dir, vault.node, () => vault.list, {
      ofOne: used,
      ofAll: used,
    });
    local.save(conversationOf("00000000000000a2", "more", "yes"));
    await expect(syncVault(vault.options(vault.admin, local))).rejects.toMatchObject({
      code: "ERR_VAULT_FULL",
    });
    expect(local.size).toBe(2);
    vault.restart();
    expect((await syncVault(vault.options(vault.admin, local))).given).toBe(1);
  });
});

/** The first commit of a device without a vault, as its program would send it. */
async function firstCommit(vault: VaultUnderTest, device: VaultUnderTest["admin"]) {
  const options = vault.options(device, openLocal(device));
  let sent: any;
  options.link.commit = async (commit) => void (sent = commit);
  options.link.state = async () => {
    if (sent) throw new Error("sent");
    return { head: undefined, wraps: new Uint8Array(0), usedBytes: 0, maxBytes: 1 };
  };
  await expect(syncVault(options)).rejects.toThrow("sent");
  return sent as Commit;
}

describe("the disk", () => {
  test("has no folder of a first commit that was refused", async () => {
    const { vault } = await withOneSaved();
    const other = vault.addDevice("other");
    const commit = await firstCommit(vault, other);
    const before = readdirSync(vault.dir);
    const row = { object: "01".repeat(8), revision: 1, hash: "01".repeat(32) };
    const unknown = encodeVaultRow(row);
    expect(await vault.vaults.commit(key(other), { ...commit, changes: unknown })).toBe(
      "ERR_VAULT_UNKNOWN",
    );
    expect(readdirSync(vault.dir)).toEqual(before);
    expect(await vault.vaults.commit(key(other), commit)).toBeUndefined();
    expect(readdirSync(vault.dir)).toHaveLength(before.length + 1);
  });

  test("counts what was signed as well, the same after a restart", async () => {
    const { vault, local } = await withOneSaved();
    const used = () => vault.vaults.usedBytes;
    const objects = objectsOf(vault).reduce((sum, path) => sum + statSync(path).size, 0);
    expect(used()).toBeGreaterThan(objects);
    const before = used();
    local.save(conversationOf(ONE, "question", "longer answer"));
    await syncVault(vault.options(vault.admin, local));
    // The same padded size, and one head more.
    expect(used()).toBe(before + vault.vaults.of(key(vault.admin))!.head!.length);
    const counted = used();
    vault.restart();
    expect(used()).toBe(counted);
  });

  test("has nothing of a vault when its last device is revoked", async () => {
    const { vault } = await withOneSaved();
    const other = vault.addDevice("other");
    await syncVault(vault.options(other, openLocal(other)));
    const both = readdirSync(vault.dir).length;
    vault.revoke(other);
    await vault.vaults.devicesChanged();
    expect(readdirSync(vault.dir)).toHaveLength(both - 1);
    expect(vault.vaults.of(key(vault.admin))).toBeDefined();
  });

  test("is the same after a restart, and what nobody committed is gone", async () => {
    const { vault, local } = await withOneSaved();
    await vault.vaults.put(key(vault.admin), Buffer.alloc(500, 6));
    expect(objectsOf(vault)).toHaveLength(2);
    vault.restart();
    expect(objectsOf(vault)).toHaveLength(1);
    expect(await syncVault(vault.options(vault.admin, local))).toMatchObject({
      taken: 0,
      given: 0,
    });
    const fresh = openLocal(vault.admin);
    expect(await syncVault(vault.options(vault.admin, fresh))).toMatchObject({ taken: 1 });
  });

  test("keeps the version before when a commit was cut off before its state was in place", async () => {
    const { vault, local } = await withOneSaved();
    const dir = join(
      vault.dir,
      readdirSync(vault.dir).find((name) => name !== "cards")!,
    );
    writeFileSync(join(dir, "state.new"), "half of a state");
    writeFileSync(join(dir, "heads", "0000000003"), "of a commit that never was");
    mkdirSync(join(vault.dir, "ab".repeat(16)));
    vault.restart();
    expect(await syncVault(vault.options(vault.admin, local))).toMatchObject({
      taken: 0,
      given: 0,
    });
    expect(readdirSync(vault.dir)).not.toContain("ab".repeat(16));
  });

  test("has nothing of a deleted object, and its bytes were overwritten before they went", async () => {
    const { vault, local } = await withOneSaved();
    const [path] = objectsOf(vault);
    // An open descriptor still sees the file after it has no name.
    const held = openSync(path!, "r");
    const before = readFileSync(path!);
    local.delete(ONE);
    await syncVault(vault.options(vault.admin, local));
    expect(objectsOf(vault)).toEqual([]);
    const left = Buffer.alloc(before.length);
    readSync(held, left, 0, left.length, 0);
    expect(left.every((byte) => byte === 0)).toBe(true);
    expect(before.every((byte) => byte === 0)).toBe(false);
  });
});

test.each([
  ["vaultCard", Buffer.alloc(32)],
  ["vaultDocuments", Buffer.of(4, 0, 0, 0, 0)],
  ["vaultDocuments", Buffer.of(1)],
  ["vaultRows", Buffer.alloc(15)],
  ["vaultGet", Buffer.alloc(0)],
  ["vaultGet", Buffer.alloc(7)],
  ["vaultGet", Buffer.alloc(8 * 257)],
  ["vaultCommit", Buffer.alloc(3)],
  ["vaultCommit", Buffer.of(255, 255, 255, 255)],
] as const)("%s of a wrong form is refused", async (kind, body) => {
  const { vault } = await withOneSaved();
  expect(await answerVault(vault.vaults, key(vault.admin), kind, body)).toBe("ERR_MALFORMED");
});

/** A change whose one object is named in the commit once for each of these revisions, under a head that fits. */
async function refusedWithRevisions(
  vault: VaultUnderTest,
  local: ReturnType<typeof openLocal>,
  revisions: readonly number[],
): Promise<void> {
  const options = vault.options(vault.admin, local);
  const commit = options.link.commit.bind(options.link);
  options.link.commit = (sent) => {
    const [row] = decodeVaultRows(sent.changes);
    const changes = revisions.map((revision) => ({ ...row!, revision }));
    const opened = vaultHeadDocument.open(sent.head, ({ signer }) => signer);
    const head = { ...opened, root: vaultRoot(changes.slice(-1)) };
    const signed = vaultHeadDocument.sign(head, vault.admin.signing.privateKey);
    return commit({ ...sent, head: signed, changes: Buffer.concat(changes.map(encodeVaultRow)) });
  };
  local.save(conversationOf(ONE, "question", "another answer"));
  const refused = { code: "ERR_DOCUMENT_REFUSED" };
  await expect(syncVault(options)).rejects.toMatchObject(refused);
}
