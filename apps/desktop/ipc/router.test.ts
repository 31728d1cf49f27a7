import fc from "fast-check";
import { expect, test } from "vitest";
import { consoleErrorOf, DesktopError } from "../session/desktop-error.ts";
import { newConsole, withoutLock } from "../session/console-under-test.ts";
import { consoleErrorSchema } from "./console-error.ts";
import { requests, streams } from "./contract.ts";
import { Router, type RequestHandlers, type Sender } from "./router.ts";

const origin = "app://console";
const ours: Sender = { isOurs: true, isTopFrame: true, origin };

function newRouter(handlers: Partial<RequestHandlers> = {}) {
  const { session } = newConsole();
  const faults: string[] = [];
  const router = new Router({
    origin,
    requests: { ...withoutLock(session), ...handlers },
    streams: session.streams,
    errorOf: consoleErrorOf,
    onFault: (route) => faults.push(route),
  });
  return { router, faults };
}

const senders: readonly [string, Sender][] = [
  ["a window that is not ours", { ...ours, isOurs: false }],
  ["a frame inside the page", { ...ours, isTopFrame: false }],
  ["another origin", { ...ours, origin: "https://phantoma.example" }],
  ["an origin that begins like ours", { ...ours, origin: `${origin}.example` }],
  ["the opaque origin", { ...ours, origin: "null" }],
  ["no origin", { ...ours, origin: null }],
];

test.each(senders)("%s is refused, whatever it asks", async (_name, sender) => {
  const { router } = newRouter();
  const result = await router.request(sender, "console.state", {});
  expect(result).toMatchObject({ ok: false, error: { code: "ERR_FORBIDDEN_SENDER" } });
  const events: unknown[] = [];
  const { signal } = new AbortController();
  await router.stream(sender, "chat.answer", {}, (event) => events.push(event), signal);
  expect(events).toMatchObject([{ type: "error", error: { code: "ERR_FORBIDDEN_SENDER" } }]);
});

test("a name that is not in the list is refused, also one that every object has", async () => {
  const { router } = newRouter();
  for (const name of ["nodes.shell", "__proto__", "constructor", "toString", 7, null, {}])
    expect(await router.request(ours, name, {})).toMatchObject({ error: { code: "ERR_ROUTE" } });
});

/** Anything, and what has the shape of something that is asked. */
const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withSparseArray: true,
  withTypedArray: true,
});
const almost = fc.record(
  {
    node: fc.oneof(fc.constant("ab".repeat(32)), anything),
    conversation: fc.oneof(fc.constant("0".repeat(16)), anything),
    model: fc.oneof(fc.constant("cd".repeat(32)), anything),
    mode: fc.oneof(fc.constant("turn"), anything),
    message: anything,
    parent: fc.oneof(fc.constant(null), anything),
    regenerate: anything,
    text: fc.oneof(fc.string(), anything),
    title: fc.oneof(fc.string({ maxLength: 300 }), anything),
    theme: fc.oneof(fc.constant("dark"), anything),
    url: fc.oneof(fc.webUrl(), anything),
    task: anything,
  },
  { requiredKeys: [] },
);
const names = fc.oneof(
  fc.constantFrom(...Object.keys(requests), ...Object.keys(streams)),
  fc.string(),
  anything,
);

test("no input crashes the router, and every refusal has a code", async () => {
  const { router, faults } = newRouter({
    // What these do on this machine is tested elsewhere; here they would start a node or keep a file.
    "demo.start": () => Promise.reject(new DesktopError("ERR_MODEL_MISSING", "not here")),
    "settings.set": async () => ({ theme: "dark", language: "system" }),
  });
  await fc.assert(
    fc.asyncProperty(names, fc.oneof(almost, anything), async (name, input) => {
      const result = await router.request(ours, name, input);
      if (!result.ok) expect(consoleErrorSchema.safeParse(result.error).error).toBeUndefined();
      const events: { type: string; error?: unknown }[] = [];
      const send = (event: unknown) => events.push(event as { type: string });
      await router.stream(ours, name, input, send, new AbortController().signal);
      expect(events).toHaveLength(1);
      expect(consoleErrorSchema.safeParse(events[0]!.error).error).toBeUndefined();
    }),
    { numRuns: 2000 },
  );
  expect(faults).toEqual([]);
});

test("a value that throws when it is read is refused", async () => {
  const { router } = newRouter();
  const trap = new Proxy({}, { ownKeys: () => expect.fail("read") });
  const getter = {
    get node(): string {
      throw new Error("read");
    },
  };
  for (const input of [trap, getter])
    expect(await router.request(ours, "nodes.confirm", input)).toMatchObject({
      error: { code: "ERR_VALIDATION" },
    });
});

test("a refused input is named by field, never by content", async () => {
  const { router } = newRouter();
  const result = await router.request(ours, "nodes.confirm", { node: "my secret words" });
  expect(JSON.stringify(result)).not.toContain("secret");
});

test("a fault of ours is a code for the page and a line for the log", async () => {
  const { router, faults } = newRouter({
    "settings.get": () => Promise.reject(new TypeError("secret")),
  });
  const result = await router.request(ours, "settings.get", {});
  expect(result).toMatchObject({ ok: false, error: { code: "ERR_INTERNAL" } });
  expect(JSON.stringify(result)).not.toContain("secret");
  expect(faults).toEqual(["settings.get"]);
});

test("what a handler says beyond the contract does not reach the page", async () => {
  const leaky = async () => ({ theme: "dark", language: "en", deviceKey: "secret" }) as never;
  const { router } = newRouter({ "settings.get": leaky });
  expect(await router.request(ours, "settings.get", {})).toMatchObject({
    error: { code: "ERR_INTERNAL" },
  });
});

test("more requests than a page ever makes are refused, and the router recovers", async () => {
  const gate = Promise.withResolvers<{ theme: "dark"; language: string }>();
  const { router } = newRouter({ "settings.get": () => gate.promise });
  const all = Array.from({ length: 65 }, () => router.request(ours, "settings.get", {}));
  expect(await all.at(-1)).toMatchObject({ error: { code: "ERR_OVERLOADED" } });
  gate.resolve({ theme: "dark", language: "en" });
  await Promise.all(all);
  expect(await router.request(ours, "settings.get", {})).toMatchObject({ ok: true });
});

test("nothing is sent to a page that has closed its stream", async () => {
  const { router } = newRouter();
  const closed = new AbortController();
  closed.abort();
  const send = () => expect.fail("sent");
  await router.stream(ours, "chat.answer", {}, send, closed.signal);
});
