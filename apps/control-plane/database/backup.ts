/**
 * Every row as a line of JSON, in either kind of database and out of it again, so that a backup also moves a fleet
 * from the embedded database to a server. The signing key is a file of its own and in no backup.
 *
 * @module
 */
import { createReadStream, createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { migrate, tables } from "./migrations.ts";
import type { Database, Sql } from "./sql.ts";

const HEADER = "phantoma control plane backup 1";
/** Rows that are read at once: 1 MB. */
const PAGE_ROWS = 1_000;

type Table = (typeof tables)[number];
const primaryKeys = { nodes: "key", licences: "id", requests: "key" } as const;

/** One state of all tables: it is read in one transaction. */
export async function backUp(database: Database, path: string): Promise<void> {
  await database.transaction(async (sql) => {
    await sql.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
    await pipeline(
      Readable.from(lines(sql)),
      createWriteStream(path, { mode: 0o600, flags: "wx" }),
    );
  });
}

/** Into a database without rows. All of it or nothing. */
export async function restore(database: Database, path: string): Promise<number> {
  await migrate(database);
  return database.transaction(async (sql) => {
    for (const table of tables)
      if ((await sql.query(`SELECT 1 FROM ${table} LIMIT 1`)).length > 0)
        throw new RangeError("the database is not empty");
    let count = -1;
    for await (const line of createInterface({ input: createReadStream(path) })) {
      if (++count === 0) {
        if (line !== HEADER) throw new RangeError("this is no backup of a control plane");
        continue;
      }
      const [table, row] = split(line);
      await sql.query(
        `INSERT INTO ${table} SELECT * FROM json_populate_record(NULL::${table}, $1)`,
        [row],
      );
    }
    return count;
  });
}

async function* lines(sql: Sql): AsyncGenerator<string> {
  yield `${HEADER}\n`;
  for (const table of tables) {
    const key = primaryKeys[table];
    for (let from: string | undefined; ;) {
      const rows: readonly { line: string; key: string }[] = await sql.query(
        `SELECT row_to_json(t)::text AS line, t.${key}::text AS key FROM ${table} t
         ${from === undefined ? "" : `WHERE t.${key} > $1::text::${table === "requests" ? "text" : "bytea"}`}
         ORDER BY t.${key} LIMIT ${PAGE_ROWS}`,
        from === undefined ? [] : [from],
      );
      for (const { line } of rows) yield `${table} ${line}\n`;
      if (rows.length < PAGE_ROWS) break;
      from = rows.at(-1)!.key;
    }
  }
}

function split(line: string): [Table, string] {
  const name = line.slice(0, line.indexOf(" "));
  const table = tables.find((one) => one === name);
  if (!table) throw new RangeError("a backup with an unknown table");
  return [table, line.slice(name.length + 1)];
}
