import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Router } from "../ipc/router.ts";
import { pairedConsole } from "../session/console-under-test.ts";
import { consoleErrorOf } from "../session/desktop-error.ts";
import { PageFiles } from "../session/page-files.ts";
import { makeBridge } from "./http-bridge.ts";
import { LoopbackServer } from "./loopback-server.ts";

const html = '<html><head><meta nonce="__CSP_NONCE__"></head></html>';
const page = new PageFiles(
  new Map([
    ["index.html", { body: Buffer.from(html), contentType: "text/html" }],
    ["assets/page.js", { body: Buffer.from("page()"), contentType: "text/javascript" }],
  ]),
);

type Paired = Awaited<ReturnType<typeof pairedConsole>>;
let server: LoopbackServer;
let paired: Paired;
let origin = "";

beforeEach(async () => {
  paired = await pairedConsole();
  const { session } = paired;
  server = await LoopbackServer.listen({
    page,
    bridge: Buffer.from("bridge()"),
    makeRouter: (its) => {
      origin = its;
      const { requests, streams } = session;
      return new Router({ origin: its, requests, streams, errorOf: consoleErrorOf });
    },
    subscribe: (listener) => session.subscribe(listener),
    port: 0,
  });
});

afterEach(() => server.close());

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

/** A request as anything on this machine may write it: no browser tidies its path or headers. */
function ask(path: string, { method = "GET", headers = {}, body }: Asked = {}) {
  const { hostname, port } = new URL(origin);
  return new Promise<{ status: number; headers: IncomingHttpHeaders; body: string }>(
    (resolve, reject) => {
      const request = httpRequest({ hostname, port, path, method, headers }, (response) => {
        let text = "";
        response.on("data", (part) => (text += String(part)));
        response.on("end", () =>
          resolve({ status: response.statusCode!, headers: response.headers, body: text }),
        );
        response.on("error", reject);
      });
      request.on("error", reject);
      request.end(body);
    },
  );
}

async function enter() {
  const link = new URL(server.newLink());
  const { headers, status } = await ask(link.pathname + link.search);
  const setCookie = headers["set-cookie"]?.[0] ?? "";
  return { status, setCookie, cookie: setCookie.split(";")[0]!, path: headers.location!, link };
}

const json = { "content-type": "application/json" };

test("the link opens once, sets a strict cookie and leads to a path of the console's own", async () => {
  const { status, setCookie, link, path } = await enter();
  expect(status).toBe(303);
  expect(setCookie).toMatch(
    /^phantoma=[0-9a-f]{64}; Path=\/[0-9a-f]{32}\/; HttpOnly; SameSite=Strict$/,
  );
  expect(path).toMatch(/^\/[0-9a-f]{32}\/$/);
  const again = await ask(link.pathname + link.search);
  expect([again.status, again.headers["set-cookie"]]).toEqual([403, undefined]);
  expect((await ask("/open?token=00")).status).toBe(403);
  expect((await ask("/open")).status).toBe(403);
});

test("the page has its policy, a fresh nonce and the bridge before everything else", async () => {
  const { cookie, path } = await enter();
  const first = await ask(path, { headers: { cookie } });
  const second = await ask(path, { headers: { cookie } });
  const nonce = /nonce="([\w-]+)"/.exec(first.body)![1]!;
  expect(first.body).toContain('<head><script src="bridge.js"></script><meta');
  expect(first.headers["content-security-policy"]).toContain(`'nonce-${nonce}'`);
  expect(first.headers["content-security-policy"]).toContain("connect-src 'self';");
  expect(second.body).not.toBe(first.body);
  for (const name of ["x-content-type-options", "referrer-policy", "cache-control"])
    expect(first.headers[name], name).toBeDefined();
  expect((await ask(`${path}bridge.js`, { headers: { cookie } })).body).toBe("bridge()");
  expect((await ask(`${path}assets/page.js`, { headers: { cookie } })).body).toBe("page()");
});

const refusals: readonly [string, number, (cookie: string, path: string) => [string, Asked]][] = [
  ["no cookie", 403, (_cookie, path) => [path, {}]],
  ["a wrong cookie", 403, (_c, path) => [path, { headers: { cookie: "phantoma=00" } }]],
  [
    "another name for this host",
    403,
    (cookie, path) => [path, { headers: { cookie, host: "evil.example" } }],
  ],
  ["localhost", 403, (cookie, path) => [path, { headers: { cookie, host: "localhost" } }]],
  [
    "a foreign origin",
    403,
    (cookie, path) => [path, { headers: { cookie, origin: "http://evil.example" } }],
  ],
  [
    "another port's origin",
    403,
    (cookie, path) => [path, { headers: { cookie, origin: "http://127.0.0.1:1" } }],
  ],
  ["the opaque origin", 403, (cookie, path) => [path, { headers: { cookie, origin: "null" } }]],
  [
    "a cross-site request",
    403,
    (cookie, path) => [path, { headers: { cookie, "sec-fetch-site": "cross-site" } }],
  ],
  [
    "a same-site request",
    403,
    (cookie, path) => [path, { headers: { cookie, "sec-fetch-site": "same-site" } }],
  ],
  ["a path outside", 404, (cookie) => ["/", { headers: { cookie } }]],
  ["an unknown file", 404, (cookie, path) => [`${path}other.js`, { headers: { cookie } }]],
  ["the raw page", 404, (cookie, path) => [`${path}index.html`, { headers: { cookie } }]],
  ["traversal", 404, (cookie, path) => [`${path}../../package.json`, { headers: { cookie } }]],
  [
    "encoded traversal",
    404,
    (cookie, path) => [`${path}%2e%2e/%2e%2e/package.json`, { headers: { cookie } }],
  ],
  ["an absolute path", 404, (cookie, path) => [`${path}/etc/passwd`, { headers: { cookie } }]],
  ["another method", 405, (cookie, path) => [path, { method: "PUT", headers: { cookie } }]],
  [
    "a form",
    415,
    (cookie, path) => [
      `${path}api/request`,
      { method: "POST", headers: { cookie, origin, "content-type": "text/plain" }, body: "{}" },
    ],
  ],
  [
    "no JSON",
    400,
    (cookie, path) => [
      `${path}api/request`,
      { method: "POST", headers: { cookie, origin, ...json }, body: "{" },
    ],
  ],
  [
    "a huge body",
    413,
    (cookie, path) => [
      `${path}api/request`,
      { method: "POST", headers: { cookie, origin, ...json, "content-length": "9999999" } },
    ],
  ],
  [
    "an unknown way to ask",
    404,
    (cookie, path) => [
      `${path}api/eval`,
      { method: "POST", headers: { cookie, origin, ...json }, body: "{}" },
    ],
  ],
  [
    "events without an origin",
    403,
    (cookie, path) => [
      `${path}api/events`,
      { method: "POST", headers: { cookie, ...json }, body: "{}" },
    ],
  ],
];

test.each(refusals)("%s is refused with %i and a code", async (_name, status, make) => {
  const { cookie, path } = await enter();
  const response = await ask(...make(cookie, path));
  expect(response.status).toBe(status);
  expect(JSON.parse(response.body)).toMatchObject({
    ok: false,
    error: { code: expect.stringMatching(/^ERR_/) },
  });
});

test("a body that never says its length is cut at the limit", async () => {
  const { cookie, path } = await enter();
  const headers = { cookie, origin, ...json, "transfer-encoding": "chunked" };
  const body = Buffer.alloc(12 * 1024 * 1024, "a");
  const asked = ask(`${path}api/request`, { method: "POST", headers, body });
  const outcome = await asked.then(
    ({ status }) => status,
    () => "hung up",
  );
  expect([413, "hung up"]).toContain(outcome);
  expect((await ask(path, { headers: { cookie } })).status).toBe(200);
});

test("a request without an origin reaches the router and is refused there", async () => {
  const { cookie, path } = await enter();
  const body = JSON.stringify({ name: "console.state", input: {} });
  const headers = { cookie, ...json };
  const response = await ask(`${path}api/request`, { method: "POST", headers, body });
  expect(JSON.parse(response.body)).toMatchObject({ error: { code: "ERR_FORBIDDEN_SENDER" } });
});

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
