/**
 * The tables, as steps that are only ever added to. Each runs once, in its own transaction.
 *
 * @module
 */
import type { Database, Sql } from "./sql.ts";
import { tallySteps } from "./tallies.ts";

const steps: readonly (readonly string[])[] = [
  [
    // A row exists because a licence was issued to the node: a stranger can make none.
    `CREATE TABLE nodes (
      key bytea PRIMARY KEY CHECK (length(key) = 32),
      added_at bigint NOT NULL,
      -- Of the last heartbeat; all absent before the first.
      seen_at bigint,
      sequence numeric(20),
      heartbeat bytea,
      release bytea,
      root_version bigint,
      targets_version bigint,
      health smallint
    )`,
    "CREATE INDEX nodes_seen_at ON nodes (seen_at DESC NULLS LAST)",
    // The newest document of each licence. A revoked one is a document that has ended.
    `CREATE TABLE licences (
      id bytea PRIMARY KEY CHECK (length(id) = 16),
      node bytea NOT NULL REFERENCES nodes (key),
      sequence numeric(20) NOT NULL,
      document bytea NOT NULL,
      not_after bigint NOT NULL,
      grace_days integer NOT NULL,
      revoked_at bigint
    )`,
    "CREATE INDEX licences_node ON licences (node)",
    "CREATE INDEX licences_not_after ON licences (not_after)",
    // What an operator asked and was answered, so that asking again changes nothing.
    `CREATE TABLE requests (
      key text PRIMARY KEY,
      body bytea NOT NULL,
      answer text NOT NULL,
      at bigint NOT NULL
    )`,
  ],
  tallySteps,
];

/** In the order in which they can be filled again. */
export const tables = ["nodes", "licences", "requests"] as const;

export async function migrate(database: Database): Promise<void> {
  await database.query("CREATE TABLE IF NOT EXISTS migrations (step integer PRIMARY KEY)");
  for (const [step, statements] of steps.entries())
    await database.transaction((sql) => apply(sql, step, statements));
}

async function apply(sql: Sql, step: number, statements: readonly string[]): Promise<void> {
  // Of two processes that start together, one does it and the other waits here.
  await sql.query("LOCK TABLE migrations IN EXCLUSIVE MODE");
  const done = await sql.query("SELECT 1 FROM migrations WHERE step = $1", [step]);
  if (done.length > 0) return;
  for (const statement of statements) await sql.query(statement);
  await sql.query("INSERT INTO migrations VALUES ($1)", [step]);
}
