/**
 * An operator's request has its effect once, however often it is sent: what was answered is kept beside what it did.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { ControlPlaneError } from "../control-plane-error.ts";
import type { Database, Sql } from "../database/sql.ts";

/** Whoever repeats a request does it within days. */
const KEPT_MS = 30 * 24 * 3_600_000;

/** @throws {@link ControlPlaneError} `ERR_IDEMPOTENCY` when the key was used for another request */
export async function once<T>(
  database: Database,
  { key, request, now }: { key: string; request: unknown; now: number },
  work: (sql: Sql) => Promise<T>,
): Promise<T> {
  const body = createHash("sha256").update(JSON.stringify(request)).digest();
  return database.transaction(async (sql) => {
    await sql.query("DELETE FROM requests WHERE at < $1", [now - KEPT_MS]);
    // A second one with the same key waits here until the first is done.
    const taken = await sql.query(
      "INSERT INTO requests VALUES ($1, $2, '', $3) ON CONFLICT (key) DO NOTHING RETURNING key",
      [key, body, now],
    );
    if (taken.length === 0) return answered<T>(sql, key, body);
    const answer = await work(sql);
    await sql.query("UPDATE requests SET answer = $2 WHERE key = $1", [
      key,
      JSON.stringify(answer),
    ]);
    return answer;
  });
}

async function answered<T>(sql: Sql, key: string, body: Buffer): Promise<T> {
  const [row] = await sql.query<{ body: Uint8Array; answer: string }>(
    "SELECT body, answer FROM requests WHERE key = $1",
    [key],
  );
  if (!row || !body.equals(row.body)) throw new ControlPlaneError("ERR_IDEMPOTENCY");
  return JSON.parse(row.answer) as T;
}
