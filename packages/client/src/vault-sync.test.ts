/** Syncs that nobody attacks: what two devices changed at once, deleted, or could not finish. */
import { VaultError } from "@phantoma/vault";
import { expect, test } from "vitest";
import { conversationOf, openLocal, VaultUnderTest } from "../../../tests/vault-under-test.ts";
import { ClientError } from "./client-error.ts";
import { admitToVault, joinVault, leaveVault, syncVault } from "./vault-sync.ts";

const ONE = "00000000000000a1";
const TWO = "00000000000000a2";

async function twoDevices() {
  const vault = new VaultUnderTest();
  const desk = openLocal(vault.admin);
  desk.save(conversationOf(ONE, "question", "answer"));
  await syncVault(vault.options(vault.admin, desk));
  const identity = vault.addDevice("laptop");
  const laptop = openLocal(identity);
  await joinVault(vault.options(identity, laptop), vault.admin.signing.publicKey);
  await syncVault({ ...vault.options(vault.admin, desk), admit: identity.signing.publicKey });
  const atDesk = () => syncVault(vault.options(vault.admin, desk));
  const atLaptop = () => syncVault(vault.options(identity, laptop));
  await atLaptop();
  return { vault, desk, laptop, identity, atDesk, atLaptop };
}

test("a sync without changes changes nothing", async () => {
  const { atDesk, desk } = await twoDevices();
  const before = desk.state;
  expect(await atDesk()).toMatchObject({ taken: 0, given: 0, hasTurned: false });
  expect(desk.state).toEqual(before);
});

test("both add to one conversation: both have both", async () => {
  const { desk, laptop, atDesk, atLaptop } = await twoDevices();
  const said = (text: string, id: string, at: number) => {
    const before = conversationOf(ONE, "question", "answer");
    const parent = before.messages[1]!;
    const more = { ...parent, id, parent: parent.id, text, createdAt: at };
    return { ...before, messages: [...before.messages, more] };
  };
  desk.save(said("from the desk", "00000000000000d1", 2000));
  laptop.save(said("from the laptop", "00000000000000d2", 2001));
  await Promise.all([atDesk(), atLaptop()]);
  await atDesk();
  await atLaptop();
  const texts = desk.get(ONE).messages.map(({ text }) => text);
  expect(texts).toEqual(["question", "answer", "from the desk", "from the laptop"]);
  expect(laptop.get(ONE)).toEqual(desk.get(ONE));
});

test("deleted here and changed there at once: what was said stays", async () => {
  const { desk, laptop, atDesk, atLaptop } = await twoDevices();
  desk.delete(ONE);
  laptop.save(conversationOf(ONE, "question", "answer", "and more"));
  await atDesk();
  await atLaptop();
  await atDesk();
  expect(desk.get(ONE).messages).toHaveLength(3);
  expect(laptop.get(ONE).messages).toHaveLength(3);
});

test("deleted here and said again there: a third device, which saw it changed often, gets it", async () => {
  const { vault, desk, laptop, atDesk, atLaptop } = await twoDevices();
  const identity = vault.addDevice("phone");
  const phone = openLocal(identity);
  const atPhone = () => syncVault(vault.options(identity, phone));
  await joinVault(vault.options(identity, phone), vault.admin.signing.publicKey);
  await syncVault({ ...vault.options(vault.admin, desk), admit: identity.signing.publicKey });
  desk.save(conversationOf(ONE, "question", "answer", "once more"));
  await atDesk();
  await atPhone();
  await atLaptop();
  desk.delete(ONE);
  laptop.save(conversationOf(ONE, "question", "answer", "once more", "and more"));
  await atDesk();
  await atLaptop();
  expect(await atPhone()).toMatchObject({ taken: 1 });
  await atDesk();
  for (const local of [desk, laptop, phone]) expect(local.get(ONE).messages).toHaveLength(4);
});

test("deleted and changed by nobody: gone from both", async () => {
  const { desk, laptop, atDesk, atLaptop } = await twoDevices();
  desk.delete(ONE);
  await atDesk();
  await atLaptop();
  expect([desk.size, laptop.size]).toEqual([0, 0]);
});

test("two that are too long together stay, as two", async () => {
  const { desk, laptop, atDesk, atLaptop } = await twoDevices();
  const long = (word: string, id: string) => {
    const one = conversationOf(ONE, "question", "answer");
    const parent = one.messages[1]!;
    const text = word.repeat(300_000 / word.length);
    return { ...one, messages: [...one.messages, { ...parent, id, parent: parent.id, text }] };
  };
  desk.save(long("desk", "00000000000000d1"));
  laptop.save(long("lap ", "00000000000000d2"));
  await atDesk();
  await atLaptop();
  await atDesk();
  expect([desk.size, laptop.size]).toEqual([2, 2]);
});

test("what is changed while it is sent is sent with the next sync", async () => {
  const { vault, desk, atDesk } = await twoDevices();
  desk.save(conversationOf(TWO, "first", "yes"));
  vault.tamper = (response, request) => {
    if (request.request === "vault-put") desk.save(conversationOf(TWO, "first", "yes", "second"));
    return response;
  };
  await atDesk();
  vault.tamper = (response) => response;
  expect(desk.list().find(({ id }) => id === TWO)?.isSynced).toBe(false);
  await atDesk();
  const fresh = openLocal(vault.admin);
  await syncVault(vault.options(vault.admin, fresh));
  expect(fresh.get(TWO).messages).toHaveLength(3);
});

test("a sync that breaks off is finished by the next one", async () => {
  const { vault, desk, laptop, atDesk, atLaptop } = await twoDevices();
  desk.save(conversationOf(TWO, "first", "yes"));
  vault.tamper = (response, request) => {
    // The commit has been taken; its answer never comes.
    if (request.request === "vault-commit") throw new ClientError("ERR_CONNECTION_LOST", "cut");
    return response;
  };
  await expect(atDesk()).rejects.toMatchObject({ code: "ERR_CONNECTION_LOST" });
  vault.tamper = (response) => response;
  await atDesk();
  await atLaptop();
  expect(laptop.size).toBe(2);
  expect(desk.list().every(({ isSynced }) => isSynced)).toBe(true);
});

test("the store is kept with one node at a time", async () => {
  const { desk } = await twoDevices();
  const other = new VaultUnderTest();
  await expect(syncVault(other.options(other.admin, desk))).rejects.toMatchObject({
    code: "ERR_VAULT_OTHER_NODE",
  });
});

test("a vault alone is left, and what is saved stays and can be kept elsewhere", async () => {
  const vault = new VaultUnderTest();
  const desk = openLocal(vault.admin);
  desk.save(conversationOf(ONE, "question", "answer"));
  await syncVault(vault.options(vault.admin, desk));
  await leaveVault(vault.options(vault.admin, desk));
  expect(vault.vaults.of(vault.admin.signing.publicKey)).toBeUndefined();
  const other = new VaultUnderTest();
  expect(await syncVault(other.options(other.admin, desk))).toMatchObject({ given: 1 });
});

test("a shared vault can be left: others keep it, and make a key without who left", async () => {
  const { vault, desk, laptop, identity, atDesk, atLaptop } = await twoDevices();
  await leaveVault(vault.options(identity, laptop));
  vault.restart();
  expect(vault.vaults.of(identity.signing.publicKey)).toBeUndefined();
  expect(laptop.size).toBe(1);
  // It has a vault of its own from now on.
  expect(await atLaptop()).toMatchObject({ taken: 0, given: 1 });
  desk.save(conversationOf(TWO, "first", "yes"));
  expect(await atDesk()).toMatchObject({ given: 1 });
  const phone = vault.addDevice("phone");
  const admit = phone.signing.publicKey;
  await joinVault(vault.options(phone, openLocal(phone)), vault.admin.signing.publicKey);
  expect(await syncVault({ ...vault.options(vault.admin, desk), admit })).toMatchObject({
    hasTurned: true,
  });
  expect(await atLaptop()).toMatchObject({ taken: 0, given: 0 });
  expect([desk.size, laptop.size]).toEqual([2, 1]);
});

test("who left comes back when it asks again and is admitted again", async () => {
  const { vault, desk, laptop, identity, atDesk, atLaptop } = await twoDevices();
  await leaveVault(vault.options(identity, laptop));
  await joinVault(vault.options(identity, laptop), vault.admin.signing.publicKey);
  desk.save(conversationOf(TWO, "first", "yes"));
  await atDesk();
  await expect(atLaptop()).rejects.toMatchObject({ code: "ERR_VAULT_KEY" });
  const admit = identity.signing.publicKey;
  expect(await syncVault({ ...vault.options(vault.admin, desk), admit })).toMatchObject({
    hasTurned: true,
  });
  await atLaptop();
  expect(laptop.size).toBe(2);
});

test("where the node has no vault any more, it can be left all the same", async () => {
  const { vault, laptop, identity, atLaptop } = await twoDevices();
  await vault.link(identity).leave();
  await expect(atLaptop()).rejects.toMatchObject({ code: "ERR_VAULT_ROLLED_BACK" });
  await leaveVault(vault.options(identity, laptop));
  expect(await atLaptop()).toMatchObject({ given: 1 });
});

test("what a device committed before it was revoked does not stop those who see it later", async () => {
  const { vault, laptop, desk, identity, atDesk, atLaptop } = await twoDevices();
  const phone = vault.addDevice("phone");
  const local = openLocal(phone);
  const options = () => vault.options(phone, local);
  await joinVault(options(), vault.admin.signing.publicKey);
  const admit = phone.signing.publicKey;
  await syncVault({ ...vault.options(vault.admin, desk), admit });
  await syncVault(options());
  // By its own clock after the revocation that follows.
  laptop.save(conversationOf(TWO, "first", "yes"));
  await atLaptop();
  await atDesk();
  vault.revoke(identity);
  await expect(syncVault(options())).rejects.toMatchObject({ code: "ERR_VAULT_FORGED" });
  expect(await atDesk()).toMatchObject({ hasTurned: true });
  await syncVault(options());
  expect(local.size).toBe(2);
});

test("nobody is admitted who has published no key", async () => {
  const { vault, desk } = await twoDevices();
  const admit = vault.addDevice("new").signing.publicKey;
  const error = await syncVault({ ...vault.options(vault.admin, desk), admit }).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(VaultError);
  expect(error).toMatchObject({ code: "ERR_VAULT_CARD" });
});

test("the seventeenth device does not fit, and the sixteenth does", async () => {
  const vault = new VaultUnderTest();
  const desk = openLocal(vault.admin);
  await syncVault(vault.options(vault.admin, desk));
  for (let i = 2; i <= 17; i += 1) {
    const device = vault.addDevice(`device ${i}`);
    await joinVault(vault.options(device, openLocal(device)), vault.admin.signing.publicKey);
    const admitting = syncVault({
      ...vault.options(vault.admin, desk),
      admit: device.signing.publicKey,
    });
    if (i <= 16) expect(await admitting).toMatchObject({ hasTurned: true });
    else await expect(admitting).rejects.toMatchObject({ code: "ERR_VAULT_MEMBERS" });
  }
});

/** As a kit is: a device that knows the vault's name, and keeps nothing. */
function asKit({ vault, desk, identity }: Awaited<ReturnType<typeof twoDevices>>) {
  const local = openLocal(identity);
  const node = Buffer.from(vault.node).toString("hex");
  const state = { node, devices: vault.list.version, inviter: null, head: null, epoch: null };
  local.state = { ...state, vault: desk.state!.vault };
  return local;
}

test("who knows the vault's name alone and has its key lets another device in, and takes nothing", async () => {
  const both = await twoDevices();
  const { vault, identity } = both;
  const fresh = vault.addDevice("fresh");
  const local = openLocal(fresh);
  const kit = asKit(both);
  await joinVault(vault.options(fresh, local), identity.signing.publicKey);
  await admitToVault(vault.options(identity, kit), fresh.signing.publicKey);
  expect(kit.size).toBe(0);
  expect(await syncVault(vault.options(fresh, local))).toMatchObject({ taken: 1, given: 0 });
  expect(local.get(ONE).messages).toHaveLength(2);
});

test("it lets nobody in who named another, nor into another vault, nor when it was let go itself", async () => {
  const both = await twoDevices();
  const { vault, identity, atDesk } = both;
  const fresh = vault.addDevice("fresh");
  const kit = asKit(both);
  const admit = (local = kit) =>
    admitToVault(vault.options(identity, local), fresh.signing.publicKey);
  await joinVault(vault.options(fresh, openLocal(fresh)), vault.admin.signing.publicKey);
  await expect(admit()).rejects.toMatchObject({ code: "ERR_FORBIDDEN" });
  await joinVault(vault.options(fresh, openLocal(fresh)), identity.signing.publicKey);
  const other = asKit(both);
  other.state = { ...other.state!, vault: "00".repeat(16) };
  await expect(admit(other)).rejects.toMatchObject({ code: "ERR_VAULT_FORKED" });
  vault.revoke(identity);
  await atDesk();
  await expect(admit()).rejects.toMatchObject({ code: "ERR_VAULT_KEY" });
});
