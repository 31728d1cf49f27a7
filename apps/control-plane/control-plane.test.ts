/** The control plane over HTTP, on each kind of database: heartbeats, licences, releases, the operator's side. */
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  generateNodeIdentity,
  heartbeatDocument,
  licenceDocument,
  type Heartbeat,
  type NodeIdentity,
} from "@phantoma/crypto";
import { openAnswerBody } from "@phantoma/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openControlPlane, type ControlPlane } from "./control-plane.ts";
import { backUp, restore } from "./database/backup.ts";
import { openEmbedded } from "./database/embedded.ts";
import { migrate } from "./database/migrations.ts";
import { openPostgresql } from "./database/postgresql.ts";
import type { Database } from "./database/sql.ts";
import type { Issued } from "./licences/ledger.ts";
import { findPostgresql, startPostgresql, type TestPostgresql } from "../../tests/postgresql.ts";

const TOKEN = "operator-token-of-a-test";
const DAY_MS = 86_400_000;
const authority = generateNodeIdentity().signing;
const LONGEST = `${"d".repeat(64)}.${"n".repeat(128)}`;
const repositoryDir = makeRepository();
let now = Date.UTC(2026, 10, 30);

describe.each(["embedded", "postgresql"] as const)("on %s", (kind) => {
  const isMissing = kind === "postgresql" && findPostgresql() === undefined;
  let server: TestPostgresql | undefined;
  let database: Database;
  let plane: ControlPlane;

  beforeAll(async () => {
    if (isMissing) return;
    server = kind === "postgresql" ? await startPostgresql() : undefined;
    database = server ? await openPostgresql(server.url) : await openEmbedded(undefined);
    await migrate(database);
    await migrate(database);
    plane = await openControlPlane({
      database,
      authority,
      operatorToken: TOKEN,
      repositoryDir,
      addressRate: { burst: 10_000, perSecond: 10_000 },
      log: () => undefined,
      now: () => now,
    });
  }, 60_000);
  afterAll(async () => {
    await plane?.close();
    await server?.stop();
  });

  function heartbeat(node: NodeIdentity, change: Partial<Heartbeat> = {}): Buffer {
    const fields: Heartbeat = {
      node: node.signing.publicKey,
      sequence: 1n,
      nonce: randomBytes(16),
      issuedAt: now,
      release: new Uint8Array(32).fill(9),
      rootVersion: 2,
      targetsVersion: 5,
      licence: null,
      health: "good",
    };
    return Buffer.from(heartbeatDocument.sign({ ...fields, ...change }, node.signing.privateKey));
  }

  const send = (payload: Buffer, type = "application/octet-stream") =>
    plane.forNodes.inject({
      method: "POST",
      url: "/v1/heartbeats",
      headers: { "content-type": type },
      payload,
    });

  const order = (url: string, payload?: object, key = randomBytes(9).toString("hex")) =>
    plane.forOperator.inject({
      method: "POST",
      url,
      headers: { authorization: `Bearer ${TOKEN}`, "idempotency-key": key },
      ...(payload ? { payload } : {}),
    });

  const terms = () => ({ holder: "Ada", edition: "team", devices: 5, notAfter: now + 90 * DAY_MS });

  async function issue(node: NodeIdentity, change: object = {}): Promise<Issued> {
    const key = Buffer.from(node.signing.publicKey).toString("hex");
    const answer = await order("/v1/licences", { node: key, ...terms(), ...change });
    expect(answer.json()).toMatchObject({ sequence: "1" });
    return answer.json();
  }

  function opened(bytes: Buffer, sent: Buffer) {
    const asked = heartbeatDocument.open(sent, ({ node }) => node);
    return openAnswerBody(bytes, asked, authority.publicKey);
  }

  test.skipIf(isMissing)("a heartbeat is answered with time, timestamp and licences", async () => {
    const node = generateNodeIdentity();
    await issue(node);
    const sent = heartbeat(node);
    const answer = await send(sent);
    expect(answer.statusCode).toBe(200);
    const { time, timestamp, licences } = opened(answer.rawPayload, sent);
    expect(time).toBe(now);
    expect(Buffer.from(timestamp!).toString()).toBe("the timestamp\n");
    expect(licences.map(({ licence }) => licence)).toMatchObject([
      { holder: "Ada", edition: "team", devices: 5, graceDays: 30, sequence: 1n },
    ]);
  });

  test.skipIf(isMissing)(
    "the same heartbeat again is answered again, an older one is not",
    async () => {
      const node = generateNodeIdentity();
      await issue(node);
      const second = heartbeat(node, { sequence: 2n });
      expect((await send(second)).statusCode).toBe(200);
      expect((await send(second)).statusCode).toBe(200);
      for (const sequence of [1n, 2n]) {
        const refused = await send(heartbeat(node, { sequence }));
        expect([refused.statusCode, refused.json().code]).toEqual([409, "ERR_SEQUENCE"]);
      }
      const last = 2n ** 64n - 1n;
      expect((await send(heartbeat(node, { sequence: last }))).statusCode).toBe(200);
      expect((await send(heartbeat(node, { sequence: last - 1n }))).statusCode).toBe(409);
    },
  );

  test.skipIf(isMissing)(
    "a node without a licence is answered, and nothing of it is kept",
    async () => {
      const before = await database.query("SELECT key FROM nodes");
      const sent = heartbeat(generateNodeIdentity());
      expect(opened((await send(sent)).rawPayload, sent).licences).toEqual([]);
      expect(await database.query("SELECT key FROM nodes")).toHaveLength(before.length);
    },
  );

  test.skipIf(isMissing)("what is no heartbeat is refused with a code and advice", async () => {
    const node = generateNodeIdentity();
    const forged = heartbeat(node);
    forged[100]! ^= 1;
    const cases: [Buffer, number, string][] = [
      [forged, 401, "ERR_SIGNATURE"],
      [heartbeat(node).subarray(1), 400, "ERR_HEARTBEAT"],
      [Buffer.concat([heartbeat(node), Buffer.of(0)]), 400, "ERR_HEARTBEAT"],
      [Buffer.alloc(188), 400, "ERR_HEARTBEAT"],
      [Buffer.alloc(189), 413, "ERR_TOO_LARGE"],
    ];
    for (const [payload, status, code] of cases) {
      const answer = await send(payload);
      expect([answer.statusCode, answer.json()]).toEqual([
        status,
        { code, advice: expect.stringMatching(/\w/) },
      ]);
    }
    expect((await send(heartbeat(node), "application/json")).statusCode).toBe(400);
  });

  test.skipIf(isMissing)("a node that asks too often is told when to come back", async () => {
    const node = generateNodeIdentity();
    const answers = [];
    for (let i = 1n; i <= 11n; i += 1n) answers.push(await send(heartbeat(node, { sequence: i })));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([...Array(10).fill(200), 429]);
    expect(Number(answers.at(-1)!.headers["retry-after"])).toBeGreaterThan(1);
  });

  test.skipIf(isMissing)("a licence is renewed and revoked with the next sequence", async () => {
    const node = generateNodeIdentity();
    const { id } = await issue(node);
    const later = now + 400 * DAY_MS;
    const renewed = await order(`/v1/licences/${id}/renew`, {
      notAfter: later,
      edition: "enterprise",
    });
    expect(renewed.json()).toMatchObject({ id, sequence: "2", notAfter: later });
    const revoked = await order(`/v1/licences/${id}/revoke`);
    const document = Buffer.from(revoked.json().document, "base64");
    expect(licenceDocument.open(document, () => authority.publicKey)).toMatchObject({
      sequence: 3n,
      notAfter: now,
      graceDays: 0,
      edition: "enterprise",
      holder: "Ada",
    });
    const sent = heartbeat(node);
    expect(opened((await send(sent)).rawPayload, sent).licences[0]!.licence.sequence).toBe(3n);
    expect((await order(`/v1/licences/${id}/renew`, { notAfter: later })).json().code).toBe(
      "ERR_LICENCE_REVOKED",
    );
    expect((await order(`/v1/licences/${"0".repeat(32)}/revoke`)).json().code).toBe(
      "ERR_LICENCE_UNKNOWN",
    );
  });

  test.skipIf(isMissing)(
    "a request has its effect once, and its key is good for it only",
    async () => {
      const node = Buffer.from(generateNodeIdentity().signing.publicKey).toString("hex");
      const ask = (change: object = {}) =>
        order("/v1/licences", { node, ...terms(), ...change }, "same-key-each-time");
      const answers = await Promise.all([ask(), ask(), ask()]);
      expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
      const rows = await database.query("SELECT id FROM licences WHERE node = $1", [
        Buffer.from(node, "hex"),
      ]);
      expect(rows).toHaveLength(1);
      expect((await ask({ devices: 6 })).json().code).toBe("ERR_IDEMPOTENCY");
    },
  );

  test.skipIf(isMissing)("a request that failed has no effect and may be sent again", async () => {
    const node = Buffer.from(generateNodeIdentity().signing.publicKey).toString("hex");
    const holder = "a\u0007b";
    const refused = await order(
      "/v1/licences",
      { node, ...terms(), holder },
      "again-with-this-key",
    );
    expect([refused.statusCode, refused.json().code]).toEqual([400, "ERR_REQUEST"]);
    expect(
      await database.query("SELECT key FROM nodes WHERE key = $1", [Buffer.from(node, "hex")]),
    ).toEqual([]);
    expect(
      (await order("/v1/licences", { node, ...terms() }, "again-with-this-key")).statusCode,
    ).toBe(200);
  });

  test.skipIf(isMissing)("an operator's request outside its schema is refused", async () => {
    const node = Buffer.from(generateNodeIdentity().signing.publicKey).toString("hex");
    for (const change of [
      { devices: "5" },
      { devices: 65 },
      { more: 1 },
      { edition: "galactic" },
      { node: "ab" },
      { graceDays: 366 },
    ]) {
      const answer = await order("/v1/licences", { node, ...terms(), ...change });
      expect([answer.statusCode, answer.json().code], JSON.stringify(change)).toEqual([
        400,
        "ERR_REQUEST",
      ]);
    }
    expect(
      (await order("/v1/licences", { node, ...terms(), devices: 64, graceDays: 365 })).statusCode,
    ).toBe(200);
    const huge = await order("/v1/licences", { node, ...terms(), holder: "x".repeat(5_000) });
    expect(huge.json().code).toBe("ERR_TOO_LARGE");
  });

  test.skipIf(isMissing)(
    "the operator's side wants the token, and the nodes' side has none of it",
    async () => {
      const basic = `Basic ${Buffer.from(`me:${TOKEN}`).toString("base64")}`;
      const get = (authorization?: string) =>
        plane.forOperator.inject({
          url: "/fleet",
          headers: authorization ? { authorization } : {},
        });
      expect((await get()).statusCode).toBe(401);
      expect((await get("Bearer wrong")).statusCode).toBe(401);
      expect((await get(basic)).statusCode).toBe(200);
      for (const url of ["/fleet", "/v1/fleet", "/metrics", "/v1/licences"])
        expect((await plane.forNodes.inject({ url })).statusCode).toBe(404);
    },
  );

  test.skipIf(isMissing)(
    "the fleet is counted, and a holder's name is only text on the page",
    async () => {
      const node = generateNodeIdentity();
      now += 60_000;
      await issue(node, { holder: "<img src=x>&'\"", notAfter: now + DAY_MS });
      await send(heartbeat(node, { health: "degraded", release: new Uint8Array(32).fill(0xab) }));
      const headers = { authorization: `Bearer ${TOKEN}` };
      const counted = await plane.forOperator.inject({ url: "/v1/fleet", headers });
      expect(counted.json()).toMatchObject({ at: now, health: { degraded: 1 } });
      const page = await plane.forOperator.inject({ url: "/fleet", headers });
      expect(page.body).toContain("&#60;img src=x&#62;");
      expect(page.body).not.toContain("<img");
      expect(page.body).toContain("abababababababab");
      expect(page.headers["content-security-policy"]).toContain("default-src 'none'");
    },
  );

  test.skipIf(isMissing)("health, metrics and the API's description are there", async () => {
    expect((await plane.forNodes.inject({ url: "/health" })).json()).toEqual({
      status: "ok",
      database: kind,
    });
    const headers = { authorization: `Bearer ${TOKEN}` };
    const metrics = (await plane.forOperator.inject({ url: "/metrics", headers })).body;
    expect(metrics).toMatch(/phantoma_requests_total\{route="\/v1\/heartbeats",status="200"\} \d+/);
    const api = (await plane.forOperator.inject({ url: "/openapi.json" })).json();
    expect(Object.keys(api.paths)).toEqual(
      expect.arrayContaining(["/v1/licences", "/v1/licences/{id}/revoke"]),
    );
    const nodes = (await plane.forNodes.inject({ url: "/openapi.json" })).json();
    expect(Object.keys(nodes.paths).toSorted()).toEqual([
      "/health",
      "/v1/heartbeats",
      "/v1/releases/metadata/{name}",
      "/v1/releases/targets/{name}",
    ]);
  });

  test.skipIf(isMissing)(
    "a backup comes back with every row, into an empty database only",
    async () => {
      const path = join(mkdtempSync(join(tmpdir(), "backup-")), "fleet.backup");
      await backUp(database, path);
      await expect(restore(database, path)).rejects.toThrow("not empty");
      const other = await openEmbedded(undefined);
      const count = await restore(other, path);
      const all =
        "SELECT encode(key, 'hex') AS key, sequence::text AS sequence FROM nodes ORDER BY key";
      expect(await other.query(all)).toEqual(await database.query(all));
      expect(count).toBeGreaterThan(5);
      const licences = "SELECT encode(document, 'hex') AS document FROM licences ORDER BY id";
      expect(await other.query(licences)).toEqual(await database.query(licences));
      await other.close();
    },
  );
});

describe("the repository", () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    const database = await openEmbedded(undefined);
    plane = await openControlPlane({
      database,
      authority,
      operatorToken: TOKEN,
      repositoryDir,
      log: () => undefined,
    });
  }, 60_000);
  afterAll(() => plane.close());
  const get = (url: string, headers = {}) => plane.forNodes.inject({ url, headers });
  const target = `/v1/releases/targets/${"a".repeat(64)}.bundle.tar.gz`;

  test("its files are served whole, and from an offset on", async () => {
    expect((await get("/v1/releases/metadata/timestamp.json")).body).toBe("the timestamp\n");
    expect((await get(target)).body).toBe("0123456789");
    const rest = await get(target, { range: "bytes=4-" });
    expect([rest.statusCode, rest.headers["content-range"], rest.body]).toEqual([
      206,
      "bytes 4-9/10",
      "456789",
    ]);
    expect((await get(target, { range: "bytes=10-" })).statusCode).toBe(416);
    expect((await get(target, { range: "bytes=2-5" })).body).toBe("0123456789");
  });

  test("a target's name has up to 128 characters after its digest", async () => {
    expect((await get(`/v1/releases/targets/${LONGEST}`)).body).toBe("long");
    expect((await get(`/v1/releases/targets/${LONGEST}x`)).statusCode).toBeGreaterThanOrEqual(400);
  });

  test.each([
    "/v1/releases/metadata/secret.json",
    "/v1/releases/metadata/0.root.json",
    "/v1/releases/metadata/..%2f..%2fetc%2fpasswd",
    `/v1/releases/targets/${"b".repeat(64)}.link`,
    `/v1/releases/targets/${"c".repeat(64)}.missing`,
    `/v1/releases/targets/${"a".repeat(63)}.bundle.tar.gz`,
    "/v1/releases/targets/",
    "/v1/releases",
  ])("nothing else is there: %s", async (url) => {
    const answer = await get(url);
    expect([400, 404]).toContain(answer.statusCode);
    expect(answer.json().code).toMatch(/^ERR_(NOT_FOUND|REQUEST)$/);
  });
});

function makeRepository(): string {
  const dir = mkdtempSync(join(tmpdir(), "repository-"));
  mkdirSync(join(dir, "metadata"));
  mkdirSync(join(dir, "targets"));
  writeFileSync(join(dir, "metadata/timestamp.json"), "the timestamp\n");
  writeFileSync(join(dir, "metadata/secret.json"), "secret");
  writeFileSync(join(dir, `targets/${"a".repeat(64)}.bundle.tar.gz`), "0123456789");
  writeFileSync(join(dir, "targets", LONGEST), "long");
  symlinkSync("/etc/passwd", join(dir, `targets/${"b".repeat(64)}.link`));
  return dir;
}
