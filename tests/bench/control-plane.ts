/**
 * What a control plane takes: heartbeats a second on each kind of database, and the page of a large fleet.
 *
 * Senders run beside it on the same cores, and each heartbeat was signed before the clock started.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import type { Database } from "../../apps/control-plane/database/sql.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { findPostgresql, startPostgresql } from "../postgresql.ts";
import { FleetUnderTest, NodeKeys } from "../proofs/blind/fleet-under-test.ts";
import { row, type Benchmark, type Row, type Setting } from "./row.ts";
import { median, quantile } from "./statistics.ts";

export const controlPlane: Benchmark = { name: "control-plane", run };

/** Below what one node may send at once. */
const BEATS = 8;
const SENDERS = 16;
/** Of the page, each counted anew. */
const PAGE_LOADS = 200;
/** Rows; PostgreSQL ends a statement after 15 s. */
const FILLED_AT_ONCE = 50_000;
/** 100,000 nodes, each every 15 minutes. */
const NEEDED_PER_SECOND = 100_000 / 900;
/** Of the kernel's clock ticks. */
const TICKS_PER_SECOND = 100;

async function* run({ isQuick }: Setting) {
  const nodes = isQuick ? 100 : 1_000;
  const count = isQuick ? 20_000 : 1_000_000;
  const embedded = new FleetUnderTest();
  yield* heartbeats("embedded", embedded, nodes, () => page("embedded", embedded, count));
  if (findPostgresql() === undefined) return;
  const server = await startPostgresql();
  try {
    const fleet = new FleetUnderTest(server.url);
    yield* heartbeats("PostgreSQL", fleet, nodes, () => page("PostgreSQL", fleet, count));
  } finally {
    await server.stop();
  }
}

async function* heartbeats(
  kind: string,
  fleet: FleetUnderTest,
  count: number,
  after: () => AsyncGenerator<Row>,
) {
  try {
    const nodes = Array.from({ length: count }, () => new NodeKeys());
    await fleet.license(nodes);
    await fleet.start();
    const beats = Array.from({ length: BEATS }, () => nodes.map((node) => node.next())).flat();
    const startedAt = performance.now();
    const samples: number[] = [];
    let refused = 0;
    // Each has nodes of its own: a node's heartbeat that overtakes the one before makes that one a replay.
    const sender = async (_: unknown, which: number) => {
      for (const [turn, beat] of beats.entries()) {
        if ((turn % count) % SENDERS !== which) continue;
        const from = performance.now();
        const status = await fleet.send(beat);
        samples.push(performance.now() - from);
        if (status !== 200) refused += 1;
      }
    };
    await Promise.all(Array.from({ length: SENDERS }, sender));
    const seconds = (performance.now() - startedAt) / 1000;
    const rate = beats.length / seconds;
    if (refused > 0) throw new Error(`${refused} heartbeats were refused`);
    // The embedded database is for small fleets: what it takes is said, and nothing is promised.
    const isServer = kind === "PostgreSQL";
    yield row({
      name: `heartbeats taken, ${kind} (100,000 nodes send this many)`,
      value: rate,
      unit: "/s",
      baseline: NEEDED_PER_SECOND,
      ...(isServer && { budget: "above 100,000 nodes", holds: rate > NEEDED_PER_SECOND }),
      samples: { latencyMs: samples },
    });
    yield row({ name: `  answered, p50, ${kind}`, value: median(samples), unit: "ms" });
    yield row({ name: `  answered, p99, ${kind}`, value: quantile(samples, 0.99), unit: "ms" });
    const coreShare = await paced(fleet, nodes, count);
    yield row({
      name: `  of a core for 100,000 nodes, ${kind}`,
      value: coreShare,
      unit: "cores",
      ...(isServer && { budget: "below 0.5", holds: coreShare < 0.5 }),
    });
    yield row({ name: `  memory, ${kind}`, value: memoryMiB(fleet.pid), unit: "MiB" });
    yield* after();
  } finally {
    await fleet.remove();
  }
}

/**
 * What the heartbeats of 100,000 nodes take of a core, at their pace: those of the control plane alone, its embedded database
 * included.
 */
async function paced(
  fleet: FleetUnderTest,
  nodes: readonly NodeKeys[],
  count: number,
): Promise<number> {
  const beats = nodes.map((node) => node.next());
  const cpuBefore = cpuSeconds(fleet.pid);
  const startedAt = performance.now();
  const answers: Promise<number>[] = [];
  for (const [index, beat] of beats.entries()) {
    const dueMs = startedAt + (index / NEEDED_PER_SECOND) * 1000 - performance.now();
    if (dueMs > 0) await sleep(dueMs);
    answers.push(fleet.send(beat));
  }
  const refused = (await Promise.all(answers)).filter((status) => status !== 200);
  if (refused.length > 0) throw new Error(`${refused.length} of ${count} heartbeats were refused`);
  const seconds = (performance.now() - startedAt) / 1000;
  return (cpuSeconds(fleet.pid) - cpuBefore) / seconds;
}

/** The page with this many nodes more, each with a licence; while nothing else is asked, every load counts anew. */
async function* page(kind: string, fleet: FleetUnderTest, nodes: number): AsyncGenerator<Row> {
  await fleet.stop();
  await fleet.withDatabase(async (database) => {
    for (let from = 1; from <= nodes; from += FILLED_AT_ONCE)
      await fill(database, from, Math.min(nodes, from + FILLED_AT_ONCE - 1));
    await database.query("ANALYZE");
  });
  await fleet.start();
  const headers = { authorization: `Bearer ${fleet.token}` };
  const load = async () => {
    const from = performance.now();
    const answer = await fetch(`http://127.0.0.1:${fleet.operatorPort}/fleet`, { headers });
    if (!(await answer.text()).includes("</html>")) throw new Error("that was no page");
    return performance.now() - from;
  };
  const first = await load();
  const again = [];
  for (let i = 0; i < PAGE_LOADS; i += 1) again.push(await load());
  const total = nodes.toLocaleString("en");
  yield row({
    name: `the page of ${total} nodes, the first time, ${kind}`,
    value: first,
    unit: "ms",
  });
  const p50 = median(again);
  yield row({
    name: `  p50, ${kind}`,
    value: p50,
    unit: "ms",
    budget: "below 100",
    holds: p50 < 100,
    samples: { again },
  });
  yield row({ name: `  p99, ${kind}`, value: quantile(again, 0.99), unit: "ms" });
}

async function fill(database: Database, from: number, to: number): Promise<void> {
  const numbers = [Date.now(), from, to];
  await database.query(
    `INSERT INTO nodes (key, added_at, seen_at, sequence, heartbeat, release, root_version, targets_version, health)
     SELECT sha256(i::text::bytea), $1, $1::bigint - (i % 86400) * 1000, i, sha256('h'), sha256((i % 5)::text::bytea),
       1 + i % 3, 1 + i % 7, 1 + i % 3 FROM generate_series($2::bigint, $3::bigint) AS i`,
    numbers,
  );
  // None of them ends soon: the page opens only those that do, and these are not signed.
  await database.query(
    `INSERT INTO licences (id, node, sequence, document, not_after, grace_days, revoked_at)
     SELECT substr(sha256(i::text::bytea), 1, 16), sha256(i::text::bytea), 1, repeat('l', 281)::bytea,
       $1::bigint + 31536000000, 30, CASE WHEN i % 10 = 0 THEN $1::bigint END
     FROM generate_series($2::bigint, $3::bigint) AS i`,
    numbers,
  );
}

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function memoryMiB(pid: number): number {
  const [, kib] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))!;
  return Number(kib) / 1024;
}
