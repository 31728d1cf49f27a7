import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  advice,
  ClientError,
  describeDevice,
  openDeviceList,
  signAddedDevice,
  signFirstDeviceList,
  signRevokedDevice,
} from "@phantoma/client";
import { generateDeviceIdentity } from "@phantoma/crypto";
import { causes } from "@phantoma/provision";
import { expect, test } from "vitest";
import { testProfile } from "../../../packages/client/src/devices/test-profile.ts";
import { requests } from "../ipc/contract.ts";
import { clientCodes, provisionCodes } from "../ipc/error-codes.ts";
import { consoleErrorOf, DesktopError } from "./desktop-error.ts";
import { newConsole, pairedConsole } from "./console-under-test.ts";
import { MODEL, NODE_KEY } from "./fake-node.ts";
import { openFileKeyStore } from "./key-store.ts";
import { seenPath } from "./node-book.ts";

test("the page knows every code of the client, and no other", () => {
  expect([...clientCodes].toSorted()).toEqual(Object.keys(advice).toSorted());
});

test("the page knows every code of a set-up, and no other", () => {
  const codes = Object.keys(causes).filter(
    (code) => !(clientCodes as readonly string[]).includes(code),
  );
  expect([...provisionCodes].toSorted()).toEqual(codes.toSorted());
});

test("an unknown error reaches the page without a word of it", () => {
  const { message } = consoleErrorOf(new Error("the prompt was: my secret"));
  expect(message).not.toContain("secret");
  expect(consoleErrorOf(new DesktopError("ERR_ANSWERING", "why")).action).not.toBe("");
  expect(consoleErrorOf(new ClientError("ERR_BUSY", "why")).action).toBe(advice.ERR_BUSY);
});

test("every answer of the session is of the contract", async () => {
  const { session, answer, id } = await pairedConsole();
  await answer({ parent: null, text: "hello" });
  const node = { node: NODE_KEY };
  const conversation = { conversation: id };
  const asked = {
    "console.state": {},
    "nodes.status": node,
    "conversations.list": {},
    "conversations.get": conversation,
    "conversations.rename": { ...conversation, title: "t" },
    "receipts.list": { ...node, before: null },
    "egress.read": { ...node, after: 0, limit: 200 },
    "doctor.read": node,
    "window.get": node,
    "window.propose": { ...node, address: "https://models.example/a/b.gguf" },
    "models.verify": { ...node, digest: MODEL },
    "models.remove": { ...node, digest: MODEL },
    "window.close": node,
    "endpoint.get": {},
    "endpoint.set": { node: null },
    "settings.get": {},
    "settings.set": { theme: "dark" },
  } as const;
  for (const [name, input] of Object.entries(asked)) {
    const handler = session.requests[name as keyof typeof asked] as (
      i: unknown,
    ) => Promise<unknown>;
    const { output } = requests[name as keyof typeof asked];
    expect(output.safeParse(await handler(input)).error, name).toBeUndefined();
  }
});

test("a node says what this device may do by a list that continues the one that was seen here", async () => {
  const { session, node, homeDir } = await pairedConsole();
  const own = openFileKeyStore(homeDir).device;
  const nodeKey = Buffer.from(NODE_KEY, "hex");
  const role = async () => (await session.requests["nodes.status"]({ node: NODE_KEY })).node.role;
  const first = signFirstDeviceList(own, "ours", nodeKey, 1);
  node.deviceList = first.list;
  expect(await role()).toBe("admin");
  const phone = describeDevice(generateDeviceIdentity(), "phone", "admin");
  const second = signAddedDevice(own, first.verified, phone, 2);
  node.deviceList = second;
  expect(await role()).toBe("admin");
  const foreign = signFirstDeviceList(generateDeviceIdentity(), "theirs", nodeKey, 3).list;
  for (const shown of [first.list, foreign, second.subarray(1)]) {
    node.deviceList = shown;
    await expect(role()).rejects.toMatchObject({ code: "ERR_NODE_IDENTITY" });
    node.deviceLists.pop();
  }
  const { nodes } = await session.requests["console.state"]({});
  expect(nodes[0]).toMatchObject({ state: "offline", role: "admin" });
  const current = openDeviceList(second, NODE_KEY);
  node.deviceList = signRevokedDevice(own, current, own.signing.publicKey, 4);
  expect(await role()).toBeNull();
  await session.close();
  // The next demo node has another key.
  expect(readdirSync(join(homeDir, "nodes"))).toEqual([]);
});

test("a demo node is used only after its fingerprint was confirmed", async () => {
  const { session } = newConsole();
  const { isConfirmed, fingerprint } = await session.requests["demo.start"]({});
  expect(isConfirmed).toBe(false);
  expect(new Set(fingerprint.words).size).toBeGreaterThan(8);
  const create = session.requests["conversations.create"];
  const input = { node: NODE_KEY, model: MODEL, mode: "conversation" } as const;
  await expect(create(input)).rejects.toMatchObject({ code: "ERR_NOT_CONFIRMED" });
  await session.requests["nodes.confirm"]({ node: NODE_KEY });
  await expect(create(input)).resolves.toMatchObject({ messages: [], head: null });
});

test("the steps of a demo node's start are told in order, and asking twice starts one", async () => {
  const { session, events } = newConsole();
  const start = session.requests["demo.start"];
  await Promise.all([start({}), start({})]);
  const steps = events.flatMap((event) => (event.event === "demo.changed" ? event.demo.step : []));
  expect(steps).toEqual(["preparing", "starting", "connecting", "ready"]);
});

test("a demo node that does not answer is stopped, and can be started again", async () => {
  const { session, node } = newConsole();
  node.failures.push(new ClientError("ERR_UNREACHABLE", "away"));
  const start = session.requests["demo.start"];
  await expect(start({})).rejects.toMatchObject({ code: "ERR_UNREACHABLE" });
  expect(node.wasStopped).toBe(true);
  const { demo, nodes } = await session.requests["console.state"]({});
  expect([demo.step, demo.error?.code, nodes]).toEqual(["failed", "ERR_UNREACHABLE", []]);
  await expect(start({})).resolves.toMatchObject({ state: "online" });
});

test("forgetting a node ends its conversations and stops a demo", async () => {
  const { session, node, answer, events } = await pairedConsole();
  await answer({ parent: null, text: "hello" });
  await session.requests["nodes.forget"]({ node: NODE_KEY });
  expect([node.last.isClosed, node.wasStopped]).toEqual([true, true]);
  expect((await session.requests["conversations.list"]({})).conversations).toEqual([]);
  expect(events.slice(-1)).toEqual([{ event: "node.removed", node: NODE_KEY }]);
});

test("a node of which the record cannot be read is forgotten with it, and can be paired with again", async () => {
  const seen = (homeDir: string) => seenPath(homeDir, NODE_KEY);
  const { session, homeDir } = newConsole((dir) => {
    mkdirSync(join(dir, "nodes"));
    writeFileSync(
      join(dir, "nodes/home.json"),
      JSON.stringify({ ...testProfile, nodeKey: NODE_KEY }),
    );
    writeFileSync(seen(dir), "{");
  });
  await expect(session.requests["nodes.status"]({ node: NODE_KEY })).rejects.toMatchObject({
    code: "ERR_PROFILE",
    action: expect.stringContaining("forget the node"),
  });
  await session.requests["nodes.forget"]({ node: NODE_KEY });
  expect(existsSync(seen(homeDir))).toBe(false);
});

test("end and wipe ends the worker now, and a later question has a new one", async () => {
  const { session, node, answer, id, get } = await pairedConsole();
  await answer({ parent: null, text: "hello" });
  await session.requests["chat.end"]({ conversation: id });
  expect((await get()).worker).toMatchObject({ state: "ended", endReason: "ended" });
  await answer({ parent: (await get()).head, text: "again" });
  expect(node.workers).toHaveLength(2);
});

test("nothing of a conversation is on the disk", async () => {
  const { session, answer, id, homeDir } = await pairedConsole();
  await answer({ parent: null, text: "needle-in-the-prompt" });
  await session.requests["conversations.setDraft"]({ conversation: id, text: "needle-draft" });
  await session.requests["settings.set"]({ theme: "dark" });
  const files = readdirSync(homeDir, { recursive: true, withFileTypes: true });
  const paths = files.filter((f) => f.isFile()).map((f) => join(f.parentPath, f.name));
  expect(paths.map((path) => path.slice(homeDir.length + 1)).toSorted()).toEqual([
    "device.key",
    "settings.json",
  ]);
  for (const path of paths) {
    expect(readFileSync(path).includes("needle")).toBe(false);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  }
});

test("a draft is kept until it is sent", async () => {
  const { session, answer, id, get } = await pairedConsole();
  await session.requests["conversations.setDraft"]({ conversation: id, text: "half a" });
  expect((await get()).draft).toBe("half a");
  await answer({ parent: null, text: "half a question" });
  expect((await get()).draft).toBe("");
});

test("closing the console ends every worker and the demo node", async () => {
  const { session, node, answer } = await pairedConsole();
  await answer({ parent: null, text: "hello" });
  await session.close();
  expect([node.last.isClosed, node.wasStopped]).toEqual([true, true]);
});
