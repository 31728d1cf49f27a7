import { afterEach, beforeEach, expect, test } from "vitest";
import { makeBridge } from "./http-bridge.ts";
import { loopbackConsole } from "./loopback-under-test.ts";

let { server, origin, enter, paired } = {} as Awaited<ReturnType<typeof loopbackConsole>>;

beforeEach(async () => {
  ({ server, origin, enter, paired } = await loopbackConsole());
});

afterEach(() => server.close());

/** The page's own bridge, with what a browser would add. */
async function enterAsPage() {
  const { cookie, path } = await enter();
  const fetchAsPage: typeof fetch = (url, init) =>
    fetch(url, { ...init, headers: { ...(init!.headers as object), cookie, origin } });
  return makeBridge(origin + path, fetchAsPage);
}

test("the bridge asks, streams an answer and hears events", async () => {
  const bridge = await enterAsPage();
  const { id: conversation } = paired;
  const state = await bridge.request("console.state", {});
  expect(state).toMatchObject({ ok: true, data: { shell: "web" } });
  const told: unknown[] = [];
  const hears = Promise.withResolvers<void>();
  bridge.subscribe((event) => {
    told.push(event);
    hears.resolve();
  });
  const types: string[] = [];
  const closed = Promise.withResolvers<void>();
  const input = { conversation, parent: null, text: "hello" };
  bridge.openStream("chat.answer", input, ({ type }) => types.push(type), closed.resolve);
  await closed.promise;
  expect(types).toEqual(["started", "delta", "delta", "finish", "end"]);
  await bridge.request("settings.set", { theme: "dark" });
  await hears.promise;
  expect(told.length).toBeGreaterThan(0);
});

test("closing a stream is Stop", async () => {
  const bridge = await enterAsPage();
  const { id: conversation, node, get } = paired;
  const wasStopped = Promise.withResolvers<void>();
  node.answering = async function* (worker) {
    yield "a long ";
    await worker.stopped();
    wasStopped.resolve();
    yield "answer";
  };
  const closed = Promise.withResolvers<void>();
  const input = { conversation, parent: null, text: "talk" };
  const close = bridge.openStream(
    "chat.answer",
    input,
    ({ type }) => {
      if (type === "delta") close();
    },
    closed.resolve,
  );
  await closed.promise;
  await wasStopped.promise;
  await expect.poll(async () => (await get()).messages.at(-1)!.state).toBe("stopped");
  expect((await get()).messages.at(-1)!.text).toBe("a long answer");
});

test("without a console the bridge says so and throws nothing", async () => {
  const bridge = await enterAsPage();
  await server.close();
  const code = "ERR_CONSOLE_UNREACHABLE";
  expect(await bridge.request("console.state", {})).toMatchObject({ error: { code } });
  const events: unknown[] = [];
  const closed = Promise.withResolvers<void>();
  const input = { conversation: paired.id, parent: null, text: "hello" };
  bridge.openStream("chat.answer", input, (event) => events.push(event), closed.resolve);
  await closed.promise;
  expect(events).toMatchObject([{ type: "error", error: { code } }]);
});
