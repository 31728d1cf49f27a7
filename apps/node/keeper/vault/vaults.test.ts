/** The node's part: who may change which vault, what fits, and what a restart and a deletion leave. */
import { mkdirSync, openSync, readdirSync, readFileSync, readSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MAX_VAULT_BLOB_BYTES, vaultCardDocument } from "@phantoma/crypto";
import { describe, expect, test } from "vitest";
import { conversationOf, openLocal, VaultUnderTest } from "../../../../tests/vault-under-test.ts";
import { syncVault } from "../../../../packages/client/src/vault-sync.ts";
import { answerVault } from "./vault-answers.ts";
import { Vaults } from "./vaults.ts";

const ONE = "00000000000000a1";
const key = (device: VaultUnderTest["admin"]) => device.signing.publicKey;

async function withOneSaved() {
  const vault = new VaultUnderTest();
  const local = openLocal(vault.admin);
  local.save(conversationOf(ONE, "question", "answer"));
  await syncVault(vault.options(vault.admin, local));
  return { vault, local };
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
    expect(vaults.publishCard(key(other), card(key(other), node))).toBeUndefined();
    expect(vaults.publishCard(key(other), card(key(other), key(other)))).toBe(
      "ERR_DOCUMENT_REFUSED",
    );
    expect(vaults.publishCard(key(vault.admin), card(key(other), node))).toBe(
      "ERR_DOCUMENT_REFUSED",
    );
    expect(vaults.publishCard(key(other), card(key(vault.admin), node))).toBe(
      "ERR_DOCUMENT_REFUSED",
    );
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

describe("the disk", () => {
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
