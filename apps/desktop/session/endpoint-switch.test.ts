import { readFileSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { newConsole, pairedConsole } from "./console-under-test.ts";
import { NODE_KEY } from "./fake-node.ts";

async function switchedOn() {
  const { session } = await pairedConsole();
  onTestFinished(() => session.close());
  const { url, keyFile } = await session.requests["endpoint.set"]({ node: NODE_KEY });
  const key = readFileSync(keyFile!, "utf8").trim();
  const ask = (authorization: string) => fetch(`${url}/models`, { headers: { authorization } });
  return { session, ask, key, bearer: `Bearer ${key}` };
}

test("the switch is off at first, and on a program with the key comes in", async () => {
  const { session, ask, bearer } = await switchedOn();
  expect((await ask("Bearer none")).status).toBe(401);
  // The node behind it is only played, and so it is away.
  expect((await ask(bearer)).status).toBeGreaterThanOrEqual(500);
  expect(await session.requests["endpoint.get"]({})).toMatchObject({ node: NODE_KEY });
});

test("switched off, nothing listens any more", async () => {
  const { session, ask, bearer } = await switchedOn();
  const off = { node: null, url: null, keyFile: null };
  expect(await session.requests["endpoint.set"]({ node: null })).toEqual(off);
  await expect(ask(bearer)).rejects.toThrow("fetch failed");
  expect(await session.requests["endpoint.get"]({})).toEqual(off);
});

test("the key is handed on while a node is served, and no longer", async () => {
  const { session, key } = await switchedOn();
  expect(await session.requests["endpoint.key"]({})).toEqual({ key });
  await session.requests["endpoint.set"]({ node: null });
  const handedOn = session.requests["endpoint.key"]({});
  await expect(handedOn).rejects.toMatchObject({ code: "ERR_UNAVAILABLE" });
});

test("a node that is forgotten is served no more", async () => {
  const { session, ask, bearer } = await switchedOn();
  await session.requests["nodes.forget"]({ node: NODE_KEY });
  await expect(ask(bearer)).rejects.toThrow("fetch failed");
});

test("the console's end is the endpoint's", async () => {
  const { session, ask, bearer } = await switchedOn();
  await session.close();
  await expect(ask(bearer)).rejects.toThrow("fetch failed");
});

test("a node that was not confirmed is not served", async () => {
  const { session } = newConsole();
  onTestFinished(() => session.close());
  await session.requests["demo.start"]({});
  const on = session.requests["endpoint.set"]({ node: NODE_KEY });
  await expect(on).rejects.toMatchObject({ code: "ERR_NOT_CONFIRMED" });
  expect(await session.requests["endpoint.get"]({})).toMatchObject({ node: null });
});
