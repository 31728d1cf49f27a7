/**
 * PostgreSQL compiled to WebAssembly, in this process, with its files in a folder: for one machine and small fleets.
 *
 * One process at a time may open the folder; `folder-lock.ts` sees to it.
 *
 * @module
 */
import { PGlite, type Transaction } from "@electric-sql/pglite";
import { asDatabaseError, type Database, type Sql } from "./sql.ts";

/** @param dir `undefined`: in memory, for tests */
export async function openEmbedded(dir: string | undefined): Promise<Database> {
  const engine = dir === undefined ? new PGlite() : new PGlite(dir);
  await asDatabaseError(() => engine.waitReady);
  return {
    kind: "embedded",
    ...over(engine),
    transaction: (work) =>
      asDatabaseError(() => engine.transaction((inside) => work(over(inside)))),
    close: () => engine.close(),
  };
}

function over(engine: PGlite | Transaction): Sql {
  return {
    query: <Row>(text: string, values: readonly unknown[] = []) =>
      asDatabaseError(async () => (await engine.query<Row>(text, [...values])).rows),
  };
}
