/** The door and what lies behind it where no node is. */
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request, type IncomingHttpHeaders } from "node:http";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NodeProfile } from "@phantoma/client";
import { generateDeviceIdentity } from "@phantoma/crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeTlsIdentity } from "../../../apps/node/setup/tls-identity.ts";
import { ApiKeys } from "./door/api-keys.ts";
import { Endpoint, MAX_EXCHANGES } from "./endpoint.ts";
import { MAX_BODY_BYTES } from "./request/request-body.ts";

/** Port 1 is nobody's. */
const profile: NodeProfile = {
  name: "away",
  url: "wss://127.0.0.1:1",
  nodeKey: "01".repeat(32),
  tlsCertificate: (await makeTlsIdentity()).certificatePem,
  starter: "gateway",
  policy: "none",
  release: "00".repeat(32),
};
const device = generateDeviceIdentity();

let dir: string;
let key: string;
let endpoint: Endpoint;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "endpoint-"));
  const keys = ApiKeys.open(dir);
  key = readFileSync(join(dir, "default"), "utf8").trim();
  endpoint = await Endpoint.start({ profile, device, keys, port: 0 });
});
afterAll(async () => {
  await endpoint.close();
  rmSync(dir, { recursive: true });
});

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly headers?: Record<string, string | undefined>;
  readonly body?: string | Buffer;
  readonly port?: number;
}

interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly error: { readonly message: string; readonly code: string | null; readonly type: string };
}

/** As a program of this machine does; `headers` changes what it sends. */
function ask(asked: Asked = {}): Promise<Answered> {
  const { method = "POST", path = "/v1/chat/completions", host = "127.0.0.1", body } = asked;
  const { port = endpoint.port } = asked;
  const headers = {
    authorization: `Bearer ${key}`,
    "content-type": "application/json",
    ...asked.headers,
  };
  return new Promise((resolve, reject) => {
    const sent = Object.fromEntries(Object.entries(headers).filter(([, value]) => value));
    const asking = request({ host, port, path, method, headers: sent as never }, (response) => {
      let text = "";
      response.on("data", (part: Buffer) => (text += part.toString("utf8")));
      response.on("end", () => {
        const { error } = JSON.parse(text || "{}") as Pick<Answered, "error">;
        resolve({ status: response.statusCode!, headers: response.headers, error });
      });
    });
    asking.on("error", reject);
    asking.end(body);
  });
}

const chat = JSON.stringify({ model: "m", messages: [{ role: "user", content: "hello" }] });

describe("the door", () => {
  test.each([
    ["no key", { authorization: undefined }, 401],
    ["another key", { authorization: `Bearer pk-${"A".repeat(43)}` }, 401],
    ["a key that is cut", { authorization: "Bearer pk-" }, 401],
    ["the key as a password", { authorization: "Basic eDp5" }, 401],
    ["another name for this machine", { host: "phantoma.example:80" }, 421],
    ["the name without its port", { host: "127.0.0.1" }, 421],
    ["a web page", { origin: "https://example.org" }, 403],
    ["a web page of this machine", { origin: "http://127.0.0.1" }, 403],
    ["a file's page", { origin: "null" }, 403],
    ["a browser without an origin", { "sec-fetch-site": "same-origin" }, 403],
    ["a form", { "content-type": "text/plain" }, 415],
    ["what is packed", { "content-encoding": "gzip" }, 415],
  ])("%s does not come in", async (_, headers, status) => {
    const answer = await ask({ headers, body: chat });
    expect(answer.status).toBe(status);
    expect(answer.error.message).toBeTypeOf("string");
  });

  test.each([
    ["a bearer's key", {}],
    ["a key in Anthropic's header", { authorization: undefined, "x-api-key": "KEY" }],
  ])("%s comes in", async (_, headers) => {
    const named = Object.entries(headers).map(([name, value]) => [
      name,
      value === "KEY" ? key : value,
    ]);
    expect((await ask({ headers: Object.fromEntries(named), body: chat })).status).toBe(503);
  });

  test.each(["127.0.0.1", "localhost", "::1"])("%s is this machine", async (host) => {
    expect((await ask({ host, body: chat })).status).toBe(503);
  });

  test("CORS is never answered", async () => {
    const origin = "https://example.org";
    const preflight = { origin, "access-control-request-method": "POST", authorization: undefined };
    const answers = [
      await ask({ method: "OPTIONS", headers: preflight }),
      await ask({ headers: { origin }, body: chat }),
      await ask({ body: chat }),
    ];
    for (const { headers } of answers)
      expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
    expect(answers[0]!.status).toBe(403);
  });

  test("what is not there has a status of its own", async () => {
    expect((await ask({ path: "/v1/files", body: "{}" })).status).toBe(404);
    expect((await ask({ path: "/", method: "GET" })).status).toBe(404);
    expect((await ask({ method: "GET" })).status).toBe(405);
  });
});

describe("a body", () => {
  test.each([
    ["is no JSON", "{"],
    ["is no object", "[]"],
    ["is null", "null"],
    ["is no UTF-8", Buffer.from([0x7b, 0xff, 0x7d])],
  ])("that %s is refused", async (_, body) => {
    const { status, error } = await ask({ body });
    expect(status).toBe(400);
    expect(error.type).toBe("invalid_request_error");
  });

  test("of 4 MiB is read, and one byte more is not", async () => {
    const padded = (bytes: number) => chat + " ".repeat(bytes - chat.length);
    expect((await ask({ body: padded(MAX_BODY_BYTES) })).status).toBe(503);
    expect((await ask({ body: padded(MAX_BODY_BYTES + 1) })).status).toBe(413);
  });
});

test("where the node is away, a program is told, and that it may try again", async () => {
  const { status, error, headers } = await ask({ body: chat });
  expect(status).toBe(503);
  expect(error).toMatchObject({ type: "server_error", code: "ERR_UNREACHABLE" });
  expect(error.message).toContain("check that the node runs");
  expect(headers["x-should-retry"]).toBe("true");
});

test("of 129 requests at once, 128 are taken and one is told to wait", async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket)).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const url = `wss://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const keys = ApiKeys.open(dir);
  const busy = await Endpoint.start({ profile: { ...profile, url }, device, keys, port: 0 });
  const answers: unknown[] = [];
  const all = Array.from({ length: MAX_EXCHANGES + 1 }, () =>
    ask({ body: chat, port: busy.port }).then(
      ({ status, headers }) => answers.push([status, headers["x-should-retry"]]),
      () => answers.push("cut"),
    ),
  );
  await Promise.race(all);
  await busy.close();
  await Promise.all(all);
  for (const socket of sockets) socket.destroy();
  silent.close();
  expect(answers).toEqual([[429, "true"], ...Array.from({ length: MAX_EXCHANGES }, () => "cut")]);
});

test("a port that is taken is said to be", async () => {
  const keys = ApiKeys.open(dir);
  await expect(
    Endpoint.start({ profile, device, keys, port: endpoint.port }),
  ).rejects.toMatchObject({ code: "ERR_UNAVAILABLE" });
});
