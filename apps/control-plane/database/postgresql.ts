/**
 * A PostgreSQL server. Its address is the only one that the control plane ever connects to.
 *
 * @module
 */
import { Pool, type PoolClient } from "pg";
import { asDatabaseError, type Database, type Sql } from "./sql.ts";

/** A heartbeat is one statement of a millisecond: ten at once are thousands a second. */
const MAX_CONNECTIONS = 10;
/** A database that is slower is treated as gone, so that nodes are told to come back. */
const CONNECT_TIMEOUT_MS = 2_000;
/** The migration that counts a million nodes takes a second or two. */
const STATEMENT_TIMEOUT_MS = 15_000;

/** @param url as `DATABASE_URL` has it; it may hold a password and is shown nowhere */
export async function openPostgresql(url: string): Promise<Database> {
  const pool = new Pool({
    connectionString: url,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: STATEMENT_TIMEOUT_MS,
  });
  // An idle connection that ends is not an error: the next statement makes another.
  pool.on("error", () => undefined);
  return {
    kind: "postgresql",
    ...over(pool),
    transaction: (work) => asDatabaseError(() => inTransaction(pool, work)),
    close: () => pool.end(),
  };
}

async function inTransaction<T>(pool: Pool, work: (sql: Sql) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let fault: Error | undefined;
  try {
    await client.query("BEGIN");
    const result = await work(over(client));
    await client.query("COMMIT");
    return result;
  } catch (error) {
    await client.query("ROLLBACK").catch((cause: Error) => (fault = cause));
    throw error;
  } finally {
    // A connection that cannot even roll back is not given to anybody again.
    client.release(fault);
  }
}

function over(client: Pool | PoolClient): Sql {
  return {
    query: <Row>(text: string, values: readonly unknown[] = []) =>
      asDatabaseError(async () => (await client.query(text, [...values])).rows as Row[]),
  };
}
