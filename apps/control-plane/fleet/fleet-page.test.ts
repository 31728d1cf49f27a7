/** What the operator's page asks of the database: counts that are right, by statements that read no whole table. */
import { randomBytes } from "node:crypto";
import { generateNodeIdentity } from "@phantoma/crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findPostgresql, startPostgresql, type TestPostgresql } from "../../../tests/postgresql.ts";
import { openEmbedded } from "../database/embedded.ts";
import { migrate } from "../database/migrations.ts";
import { openPostgresql } from "../database/postgresql.ts";
import type { Database, Sql } from "../database/sql.ts";
import { summarise } from "./summary.ts";

const NOW = Date.UTC(2026, 10, 30, 12);
const MINUTE_MS = 60_000;
const authority = generateNodeIdentity().signing;

describe.each(["embedded", "postgresql"] as const)("on %s", (kind) => {
  const isMissing = kind === "postgresql" && findPostgresql() === undefined;
  let server: TestPostgresql | undefined;
  let database: Database;

  beforeAll(async () => {
    if (isMissing) return;
    server = kind === "postgresql" ? await startPostgresql() : undefined;
    database = server ? await openPostgresql(server.url) : await openEmbedded(undefined);
    await migrate(database);
  }, 240_000);
  afterAll(async () => {
    await database?.close();
    await server?.stop();
  });

  const add = (key: Buffer) =>
    database.query("INSERT INTO nodes (key, added_at) VALUES ($1, $2)", [key, NOW]);
  const beat = (sql: Sql, key: Buffer, seenAt: number, health: number, release = 1) =>
    sql.query(
      `UPDATE nodes SET seen_at = $2, health = $3, release = $4, root_version = 1, targets_version = 2
       WHERE key = $1`,
      [key, seenAt, health, Buffer.alloc(32, release)],
    );
  const issue = (node: Buffer, notAfter: number, revokedAt: number | null) =>
    database.query(
      `INSERT INTO licences (id, node, sequence, document, not_after, grace_days, revoked_at)
       VALUES ($1, $2, 1, $3, $4, 30, $5)`,
      [randomBytes(16), node, Buffer.from("not signed"), notAfter, revokedAt],
    );
  /** As one would count who reads every row. */
  const everyRow = async () => {
    const [row] = await database.query<Record<string, string>>(
      `SELECT count(*)::text AS nodes, count(*) FILTER (WHERE seen_at / 60000 >= $1)::text AS recent,
         count(*) FILTER (WHERE seen_at / 60000 >= $2)::text AS today,
         count(*) FILTER (WHERE seen_at IS NULL)::text AS never,
         count(*) FILTER (WHERE health = 1)::text AS good, count(*) FILTER (WHERE health = 2)::text AS degraded,
         count(*) FILTER (WHERE health = 3)::text AS failing,
         (SELECT count(*)::text FROM licences) AS licences, (SELECT count(revoked_at)::text FROM licences) AS revoked
       FROM nodes`,
      [NOW / MINUTE_MS - 40, NOW / MINUTE_MS - 1_440],
    );
    return Object.fromEntries(Object.entries(row!).map(([name, text]) => [name, Number(text)]));
  };
  const counted = async () => {
    const { counts, health } = await summarise({ database, authority }, NOW);
    return { ...counts, ...health };
  };

  test.skipIf(isMissing)("an empty fleet is counted as nothing", async () => {
    expect(Object.values(await counted())).toEqual(Array(9).fill(0));
  });

  test.skipIf(isMissing)(
    "after every change the counts are what counting every row gives",
    async () => {
      const keys = Array.from({ length: 40 }, () => randomBytes(32));
      for (const key of keys) await add(key);
      expect(await counted()).toMatchObject({ nodes: 40, never: 40 });
      for (const [index, key] of keys.slice(0, 30).entries()) {
        // At the limit of each count, and a minute past it.
        const ago = [0, 40, 41, 1_440, 1_441][index % 5]! * MINUTE_MS;
        await beat(database, key, NOW - ago, 1 + (index % 3), index % 2);
      }
      expect(await counted()).toEqual(await everyRow());
      expect(await counted()).toMatchObject({ recent: 12, today: 24, never: 10, good: 10 });
      for (const key of keys.slice(0, 20)) await beat(database, key, NOW, 3);
      await database.query("UPDATE nodes SET health = 2 WHERE health = 3");
      for (const [index, key] of keys.entries())
        await issue(key, NOW + 90 * 86_400_000, index < 7 ? NOW : null);
      await database.query("UPDATE licences SET revoked_at = $1 WHERE node = $2", [NOW, keys[9]]);
      await database.query("DELETE FROM licences WHERE node = $1", [keys[0]]);
      await database.query("DELETE FROM nodes WHERE key = $1", [keys[0]]);
      expect(await counted()).toEqual(await everyRow());
      expect(await counted()).toMatchObject({ nodes: 39, licences: 39, revoked: 7 });
    },
  );

  test.skipIf(isMissing)("a change that is taken back is not counted", async () => {
    const before = await counted();
    const taken = database.transaction(async (sql) => {
      await sql.query("DELETE FROM licences");
      await sql.query("DELETE FROM nodes");
      throw new RangeError("no");
    });
    await expect(taken).rejects.toThrow("no");
    expect(await counted()).toEqual(before);
  });

  test.skipIf(isMissing)("heartbeats that come together are all counted", async () => {
    const keys = Array.from({ length: 64 }, () => randomBytes(32));
    await Promise.all(keys.map(add));
    for (let round = 1; round <= 4; round += 1)
      await Promise.all(
        keys.map((key, index) =>
          beat(database, key, NOW + (index % 3) * MINUTE_MS, 1 + (round % 3)),
        ),
      );
    expect(await counted()).toEqual(await everyRow());
  });

  test.skipIf(isMissing)("a count that comes to zero leaves no row", async () => {
    expect(await database.query("SELECT 1 FROM seen WHERE nodes <= 0")).toEqual([]);
    expect(await database.query("SELECT 1 FROM reported WHERE nodes <= 0")).toEqual([]);
  });

  test.skipIf(isMissing)("what was there before the counts were is counted", async () => {
    const expected = await counted();
    await database.transaction(async (sql) => {
      for (const name of ["seen", "reported", "issued"]) await sql.query(`DROP TABLE ${name}`);
      for (const [table, events] of [
        ["nodes", ["insert", "update", "delete"]],
        ["licences", ["insert", "update", "delete"]],
      ] as const)
        for (const event of events)
          await sql.query(`DROP FUNCTION ${table}_${event}_tallied CASCADE`);
      await sql.query("DROP INDEX licences_ending");
      await sql.query("CREATE INDEX licences_not_after ON licences (not_after)");
      await sql.query("DELETE FROM migrations WHERE step = 1");
    });
    await migrate(database);
    expect(await counted()).toEqual(expected);
  });

  test.skipIf(isMissing)("no statement of the page reads a whole table of the fleet", async () => {
    await database.query(
      `INSERT INTO nodes (key, added_at, seen_at, release, root_version, targets_version, health)
       SELECT sha256(i::text::bytea), $1, $1::bigint - i * 1000, sha256('r'), 1, 1, 1
       FROM generate_series(1, 20000) AS i`,
      [NOW],
    );
    await database.query(
      `INSERT INTO licences (id, node, sequence, document, not_after, grace_days)
       SELECT substr(sha256(i::text::bytea), 1, 16), sha256(i::text::bytea), 1, 'x', $1::bigint + 31536000000, 30
       FROM generate_series(1, 20000) AS i`,
      [NOW],
    );
    await database.query("ANALYZE");
    const asked: [string, readonly unknown[]][] = [];
    const watched: Database = {
      ...database,
      query: (text, values = []) => {
        asked.push([text, values]);
        return database.query(text, values);
      },
    };
    await summarise({ database: watched, authority }, NOW);
    const plan = async (text: string, values: readonly unknown[] = []) =>
      (await database.query<Record<string, string>>(`EXPLAIN ${text}`, values))
        .map((line) => Object.values(line).join())
        .join("\n");
    const whole = /Seq Scan on (nodes|licences)/;
    expect(asked.length).toBeGreaterThan(4);
    for (const [text, values] of asked) expect(await plan(text, values)).not.toMatch(whole);
    // What this test must see.
    expect(await plan("SELECT count(health) FROM nodes")).toMatch(whole);
  });
});
