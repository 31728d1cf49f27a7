import { afterEach, beforeEach, expect, test } from "vitest";
import { loopbackConsole, type Asked } from "./loopback-under-test.ts";

let { server, origin, ask, enter } = {} as Awaited<ReturnType<typeof loopbackConsole>>;

beforeEach(async () => {
  ({ server, origin, ask, enter } = await loopbackConsole());
});

afterEach(() => server.close());

const json = { "content-type": "application/json" };

test("the link opens once, sets a strict cookie and leads to a path of the console's own", async () => {
  const { status, setCookie, cookie, link, path } = await enter();
  expect(status).toBe(303);
  expect((await ask(path, { headers: { cookie } })).status).toBe(200);
  expect(setCookie).toMatch(
    /^phantoma=[0-9a-f]{64}; Path=\/[0-9a-f]{32}\/; HttpOnly; SameSite=Strict$/,
  );
  expect(path).toMatch(/^\/[0-9a-f]{32}\/$/);
  const again = await ask(link.pathname + link.search);
  expect([again.status, again.headers["set-cookie"]]).toEqual([403, undefined]);
  // Whoever was first may have read the link where it was not meant for them.
  expect((await ask(path, { headers: { cookie } })).status).toBe(403);
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
