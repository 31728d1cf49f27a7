import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { joinVault, syncVault } from "@phantoma/client";
import { fingerprint } from "@phantoma/crypto";
import { vaultAdvice } from "@phantoma/vault";
import { expect, test } from "vitest";
import { clientCodes, vaultCodes } from "../ipc/error-codes.ts";
import { conversationOf, openLocal, VaultUnderTest } from "../../../tests/vault-under-test.ts";
import { pairedConsole } from "./console-under-test.ts";
import { ConsoleSession } from "./console-session.ts";
import { NODE_KEY } from "./fake-node.ts";
import { openFileKeyStore } from "./key-store.ts";

const CANARY = "a canary of a question";

test("nothing is saved by itself, and what is saved is sealed", async () => {
  const { session, answer, id, homeDir, events } = await pairedConsole();
  await answer({ parent: null, text: CANARY });
  const list = () => session.requests["saved.list"]({ query: "" });
  expect((await list()).saved).toEqual([]);
  await session.requests["saved.save"]({ conversation: id });
  expect((await list()).saved).toMatchObject([{ id, title: CANARY, messages: 2 }]);
  expect(events.some(({ event }) => event === "saved.changed")).toBe(true);
  const path = join(homeDir, "vault.sqlite");
  expect(readFileSync(path).includes(CANARY)).toBe(false);
  expect(statSync(path).mode & 0o077).toBe(0);
  await session.close();
});

test("it is found by its words, continued in another run, and saved again as one", async () => {
  const first = await pairedConsole();
  await first.answer({ parent: null, text: CANARY });
  await first.session.requests["saved.save"]({ conversation: first.id });
  await first.session.close();

  const session = new ConsoleSession({
    version: "0.1.0",
    shell: "web",
    homeDir: first.homeDir,
    keyStore: openFileKeyStore(first.homeDir),
    demo: { nodeDir: "", models: [] },
    client: first.node,
    endpointPort: 0,
  });
  await session.requests["demo.start"]({});
  await session.requests["nodes.confirm"]({ node: NODE_KEY });
  const found = await session.requests["saved.list"]({ query: "CANARY quest" });
  expect(found.saved.map(({ id }) => id)).toEqual([first.id]);
  expect((await session.requests["saved.list"]({ query: "parrot" })).saved).toEqual([]);
  const opened = await session.requests["saved.open"]({ saved: first.id, node: NODE_KEY });
  expect(opened.messages.map(({ text }) => text)).toEqual([CANARY, `you said: ${CANARY}`]);
  const next = { conversation: first.id, parent: opened.head, text: "and then?" };
  await session.streams["chat.answer"](next, () => undefined, new AbortController().signal);
  expect(first.node.last.memory.map(({ text }) => text)).toContain(CANARY);
  await session.requests["saved.save"]({ conversation: first.id });
  expect((await session.requests["saved.list"]({ query: "" })).saved).toMatchObject([
    { id: first.id, messages: 4 },
  ]);
  await session.close();
});

test("an export is a file for this user alone; imported, it is the same again", async () => {
  const { session, answer, id } = await pairedConsole();
  await answer({ parent: null, text: CANARY });
  await session.requests["saved.save"]({ conversation: id });
  const { path } = await session.requests["saved.export"]({ saved: null, format: "json" });
  expect(statSync(path).mode & 0o077).toBe(0);
  await session.requests["saved.delete"]({ saved: id });
  expect((await session.requests["saved.list"]({ query: "" })).total).toBe(0);
  const text = readFileSync(path, "utf8");
  expect(await session.requests["saved.import"]({ text })).toEqual({ imported: 1 });
  expect((await session.requests["saved.list"]({ query: "" })).total).toBe(1);
  await expect(session.requests["saved.import"]({ text: "{}" })).rejects.toMatchObject({
    code: "ERR_VAULT_FILE",
  });
  await session.close();
});

test("another device asks for it and is admitted; both have what either saved", async () => {
  const { session, answer, id, homeDir, node } = await pairedConsole();
  const own = openFileKeyStore(homeDir).device;
  const vault = new VaultUnderTest(new Uint8Array(Buffer.from(NODE_KEY, "hex")), own);
  const laptop = vault.addDevice("laptop");
  // It can be compared with nothing, and asked for nothing.
  vault.addDevice("Recovery kit 2026-11-20 09:00:00");
  node.vault = vault.link(own);
  node.deviceList = vault.listBytes;
  await answer({ parent: null, text: CANARY });
  await session.requests["saved.save"]({ conversation: id });
  const at = { node: NODE_KEY };
  expect(await session.requests["saved.sync"](at)).toMatchObject({ given: 1 });
  const { devices } = await session.requests["saved.devices"](at);
  expect(devices.map(({ name }) => name)).toEqual(["laptop"]);
  const keys = Buffer.concat([laptop.signing.publicKey, laptop.tunnel.publicKey]);
  expect(devices[0]!.fingerprint.digits).toBe(fingerprint(keys));
  const local = openLocal(laptop);
  await joinVault(vault.options(laptop, local), own.signing.publicKey);
  await session.requests["saved.admit"]({ ...at, device: devices[0]!.key });
  await syncVault(vault.options(laptop, local));
  expect(local.search(CANARY).map((one) => one.id)).toEqual([id]);
  local.save(conversationOf("00000000000000b1", "from the laptop", "yes"));
  await syncVault(vault.options(laptop, local));
  expect(await session.requests["saved.sync"](at)).toMatchObject({ taken: 1 });
  expect((await session.requests["saved.list"]({ query: "laptop" })).total).toBe(1);
  await session.close();
});

test("a device list of another node, or an older one, opens no vault", async () => {
  const { session, homeDir, node } = await pairedConsole();
  const own = openFileKeyStore(homeDir).device;
  const vault = new VaultUnderTest(new Uint8Array(Buffer.from(NODE_KEY, "hex")), own);
  node.vault = vault.link(own);
  const older = vault.listBytes;
  vault.addDevice("laptop");
  const at = { node: NODE_KEY };
  node.deviceList = new VaultUnderTest(undefined, own).listBytes;
  const code = "ERR_NODE_IDENTITY";
  await expect(session.requests["saved.sync"](at)).rejects.toMatchObject({ code });
  await expect(session.requests["saved.devices"](at)).rejects.toMatchObject({ code });
  node.deviceList = vault.listBytes;
  await session.requests["saved.sync"](at);
  node.deviceList = older;
  await expect(session.requests["saved.sync"](at)).rejects.toMatchObject({ code });
  await expect(session.requests["saved.devices"](at)).rejects.toMatchObject({ code });
  await session.close();
});

test("the page knows every code of a vault", () => {
  const known: readonly string[] = [...vaultCodes, ...clientCodes];
  for (const code of Object.keys(vaultAdvice)) expect(known).toContain(code);
  for (const code of vaultCodes) expect(Object.keys(vaultAdvice)).toContain(code);
});
