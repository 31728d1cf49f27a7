/**
 * What the operator's page counts, kept by the database beside the rows: in the transaction that changes a row its count
 * changes too, so that the page reads some thousand small rows and never a million.
 *
 *   seen       how many nodes were last seen in this minute
 *   reported   how many nodes last reported this; all zero: those that never did
 *   issued     how many licences there are, revoked or not
 *
 * A count lies in `shard` rows, which are added up, because heartbeats that change one row wait for each other. Rows are
 * changed in the order of their keys, so that two statements never wait for each other in a circle, and one that comes to
 * zero is removed.
 *
 * @module
 */

/** A heartbeat waits for one of eight others; the page reads eight times 1,440 rows for a day. */
const SHARDS = 8;

interface Tally {
  readonly table: string;
  /** Its key. */
  readonly columns: readonly string[];
  readonly count: string;
  /** The key, as expressions over a row of what is counted. */
  readonly of: readonly string[];
  /** Which rows are counted. */
  readonly where: string;
}

const shard = `get_byte(key, 0) % ${SHARDS}`;
const seen: Tally = {
  table: "seen",
  columns: ["minute", "shard"],
  count: "nodes",
  of: ["seen_at / 60000", shard],
  where: "seen_at IS NOT NULL",
};
const reported: Tally = {
  table: "reported",
  columns: ["release", "root_version", "targets_version", "health", "shard"],
  count: "nodes",
  of: [
    "coalesce(release, ''::bytea)",
    "coalesce(root_version, 0)",
    "coalesce(targets_version, 0)",
    "coalesce(health, 0)",
    shard,
  ],
  where: "true",
};
const issued: Tally = {
  table: "issued",
  columns: ["revoked"],
  count: "licences",
  of: ["revoked_at IS NOT NULL"],
  where: "true",
};

/** Everything that was there before the counts were, and from then on each change. */
export const tallySteps: readonly string[] = [
  // While nobody writes: what is counted at the beginning is what there is.
  "LOCK TABLE nodes, licences IN SHARE ROW EXCLUSIVE MODE",
  `CREATE TABLE seen (
    minute bigint, shard integer, nodes bigint NOT NULL, PRIMARY KEY (minute, shard)
  )`,
  `CREATE TABLE reported (
    release bytea, root_version bigint, targets_version bigint, health smallint, shard integer,
    nodes bigint NOT NULL, PRIMARY KEY (release, root_version, targets_version, health, shard)
  )`,
  "CREATE TABLE issued (revoked boolean PRIMARY KEY, licences bigint NOT NULL)",
  ...counted("nodes", [seen, reported]),
  ...counted("licences", [issued]),
  // Those that end, without the many that were ended.
  "DROP INDEX licences_not_after",
  "CREATE INDEX licences_ending ON licences (not_after) WHERE revoked_at IS NULL",
];

function counted(table: string, tallies: readonly Tally[]): string[] {
  const backfill = tallies.map(
    ({ table: to, of, where }) =>
      `INSERT INTO ${to} SELECT ${of.join(", ")}, count(*) FROM ${table} WHERE ${where}
       GROUP BY ${of.map((_, index) => index + 1).join(", ")}`,
  );
  const triggers = (["INSERT", "UPDATE", "DELETE"] as const).flatMap((event) => {
    const name = `${table}_${event.toLowerCase()}_tallied`;
    const referencing = [
      ...(event === "INSERT" ? [] : ["OLD TABLE AS before"]),
      ...(event === "DELETE" ? [] : ["NEW TABLE AS after"]),
    ];
    const body = tallies.map((tally) => statementsOf(tally, event)).join("\n");
    return [
      `CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} RETURN NULL; END $$`,
      `CREATE TRIGGER ${name} AFTER ${event} ON ${table}
       REFERENCING ${referencing.join(" ")} FOR EACH STATEMENT EXECUTE FUNCTION ${name}()`,
    ];
  });
  return [...backfill, ...triggers];
}

function statementsOf(tally: Tally, event: "INSERT" | "UPDATE" | "DELETE"): string {
  const { table, columns, count, of, where } = tally;
  const key = columns.join(", ");
  const named = of.map((expression, index) => `${expression} AS ${columns[index]}`).join(", ");
  const rows =
    event === "INSERT" ? ["after"] : event === "DELETE" ? ["before"] : ["after", "before"];
  const changed = rows
    .map((one) => `SELECT ${named}, ${one === "after" ? 1 : -1} AS n FROM ${one} WHERE ${where}`)
    .join(" UNION ALL ");
  const same = columns.map((column) => `${table}.${column} = gone.${column}`).join(" AND ");
  const upsert = `INSERT INTO ${table} AS t (${key}, ${count})
    SELECT ${key}, sum(n) FROM (${changed}) AS changed GROUP BY ${key} HAVING sum(n) <> 0 ORDER BY ${key}
    ON CONFLICT (${key}) DO UPDATE SET ${count} = t.${count} + excluded.${count};`;
  if (event === "INSERT") return upsert;
  return `${upsert}
    DELETE FROM ${table} USING (SELECT DISTINCT ${named} FROM before WHERE ${where}) AS gone
    WHERE ${same} AND ${table}.${count} = 0;`;
}
