/**
 * All that there is to know of a fleet: how many, which versions, when last seen, which licences end.
 *
 * @module
 */
import { licenceDocument } from "@phantoma/crypto";
import type { Authority } from "../authority.ts";
import type { Database } from "../database/sql.ts";

const DAY_MS = 86_400_000;
/** Two heartbeats of 15 minutes, and their jitter. */
const RECENT_MS = 40 * 60_000;
/** What a person looks through; the counts are of all. */
const MAX_LISTED = 50;
/** A renewal takes a person some weeks. */
const EXPIRING_MS = 45 * DAY_MS;

export interface Summary {
  readonly at: number;
  readonly tookMs: number;
  readonly counts: {
    nodes: number;
    recent: number;
    today: number;
    never: number;
    licences: number;
    revoked: number;
  };
  readonly health: { good: number; degraded: number; failing: number };
  readonly releases: readonly { release: string; root: number; targets: number; nodes: number }[];
  readonly lastSeen: readonly { node: string; at: number; health: string }[];
  readonly expiring: readonly {
    holder: string;
    node: string;
    notAfter: number;
    graceDays: number;
  }[];
}

/** No statement here reads a table as long as the fleet: `fleet-page.test.ts` asks the database's own plans. */
const REPORTED = `
  SELECT coalesce(sum(nodes), 0)::text AS nodes,
    coalesce(sum(nodes) FILTER (WHERE health = 0), 0)::text AS never,
    coalesce(sum(nodes) FILTER (WHERE health = 1), 0)::text AS good,
    coalesce(sum(nodes) FILTER (WHERE health = 2), 0)::text AS degraded,
    coalesce(sum(nodes) FILTER (WHERE health = 3), 0)::text AS failing
  FROM reported`;
/** To the minute. */
const SEEN = `
  SELECT coalesce(sum(nodes) FILTER (WHERE minute >= $1), 0)::text AS recent,
    coalesce(sum(nodes), 0)::text AS today
  FROM seen WHERE minute >= $2`;
const ISSUED = `
  SELECT coalesce(sum(licences), 0)::text AS licences,
    coalesce(sum(licences) FILTER (WHERE revoked), 0)::text AS revoked
  FROM issued`;

export interface Fleet {
  readonly database: Database;
  readonly authority: Authority;
}

export async function summarise(fleet: Fleet, now: number): Promise<Summary> {
  const { database } = fleet;
  const startedAt = performance.now();
  type Counts = Record<string, string>;
  const [reported] = await database.query<Counts>(REPORTED);
  const [seen] = await database.query<Counts>(SEEN, [
    minuteOf(now - RECENT_MS),
    minuteOf(now - DAY_MS),
  ]);
  const [issued] = await database.query<Counts>(ISSUED);
  const counts = { ...reported, ...seen, ...issued };
  const n = (name: string) => Number(counts[name]);
  return {
    at: now,
    counts: {
      nodes: n("nodes"),
      recent: n("recent"),
      today: n("today"),
      never: n("never"),
      licences: n("licences"),
      revoked: n("revoked"),
    },
    health: { good: n("good"), degraded: n("degraded"), failing: n("failing") },
    releases: await releases(database),
    lastSeen: await lastSeen(database),
    expiring: await expiring(fleet, now),
    tookMs: Math.round(performance.now() - startedAt),
  };
}

function minuteOf(ms: number): number {
  return Math.floor(ms / 60_000);
}

async function releases(database: Database): Promise<Summary["releases"]> {
  const rows = await database.query<{
    release: string;
    root: string;
    targets: string;
    nodes: string;
  }>(
    `SELECT encode(release, 'hex') AS release, root_version::text AS root, targets_version::text AS targets,
       sum(nodes)::text AS nodes
     FROM reported WHERE health > 0
     GROUP BY 1, 2, 3 ORDER BY sum(nodes) DESC, 1 LIMIT ${MAX_LISTED}`,
  );
  return rows.map(({ release, root, targets, nodes }) => ({
    release,
    root: Number(root),
    targets: Number(targets),
    nodes: Number(nodes),
  }));
}

async function lastSeen(database: Database): Promise<Summary["lastSeen"]> {
  const rows = await database.query<{ node: string; at: string; health: string }>(
    `SELECT encode(key, 'hex') AS node, seen_at::text AS at, health::text AS health
     FROM nodes WHERE seen_at IS NOT NULL ORDER BY seen_at DESC NULLS LAST LIMIT ${MAX_LISTED}`,
  );
  const words = ["", "good", "degraded", "failing"];
  return rows.map(({ node, at, health }) => ({
    node,
    at: Number(at),
    health: words[Number(health)]!,
  }));
}

async function expiring({ database, authority }: Fleet, now: number): Promise<Summary["expiring"]> {
  const rows = await database.query<{ document: Uint8Array }>(
    `SELECT document FROM licences WHERE revoked_at IS NULL AND not_after BETWEEN $1 AND $2
     ORDER BY not_after LIMIT ${MAX_LISTED}`,
    [now - EXPIRING_MS, now + EXPIRING_MS],
  );
  return rows.map(({ document }) => {
    const licence = licenceDocument.open(document, () => authority.publicKey);
    const { holder, node, notAfter, graceDays } = licence;
    return { holder, node: Buffer.from(node).toString("hex"), notAfter, graceDays };
  });
}
