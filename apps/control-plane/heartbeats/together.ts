/**
 * Heartbeats that come within some milliseconds are taken by one statement, and so with one commit. Each is told what became
 * of it after that commit and never before: what is acknowledged is kept, or nothing of it was acknowledged.
 *
 * @module
 */
import { MAX_ANSWERED_LICENCES } from "@phantoma/crypto";
import type { Sql } from "../database/sql.ts";

/** What is kept of a heartbeat; bytes in hex. */
export interface HeartbeatRow {
  readonly node: string;
  readonly sequence: string;
  readonly heartbeat: string;
  readonly release: string;
  readonly root_version: number;
  readonly targets_version: number;
  readonly health: number;
  readonly seen_at: number;
}

export interface Taken {
  /** `undefined`: the node has no row here. */
  readonly isTaken: boolean | undefined;
  /** Those that are good for longest first. */
  readonly licences: readonly Uint8Array[];
}

/**
 * The same heartbeat again, which is what a node sends when an answer was lost, changes nothing but is taken; an older
 * one is not.
 */
const TAKE = `
  WITH asked AS (
    SELECT decode(node, 'hex') AS key, sequence::numeric AS sequence, decode(heartbeat, 'hex') AS heartbeat,
      decode(release, 'hex') AS release, root_version, targets_version, health, seen_at
    FROM json_to_recordset($1::json) AS asked (node text, sequence text, heartbeat text, release text,
      root_version bigint, targets_version bigint, health smallint, seen_at bigint)
  ), taken AS (
    UPDATE nodes SET seen_at = asked.seen_at, sequence = asked.sequence, heartbeat = asked.heartbeat,
      release = asked.release, root_version = asked.root_version, targets_version = asked.targets_version,
      health = asked.health
    FROM asked WHERE nodes.key = asked.key
      AND (nodes.sequence IS NULL OR nodes.sequence < asked.sequence OR nodes.heartbeat = asked.heartbeat)
    RETURNING nodes.key
  )
  SELECT encode(nodes.key, 'hex') AS node, (taken.key IS NOT NULL) AS taken, held.document
  FROM asked JOIN nodes ON nodes.key = asked.key LEFT JOIN taken ON taken.key = asked.key
  LEFT JOIN LATERAL (
    SELECT document, not_after FROM licences WHERE licences.node = asked.key
    ORDER BY not_after DESC LIMIT ${MAX_ANSWERED_LICENCES}
  ) AS held ON true
  ORDER BY held.not_after DESC`;

interface Waiting {
  readonly row: HeartbeatRow;
  readonly resolve: (taken: Taken) => void;
  readonly reject: (error: unknown) => void;
}

export class Together {
  readonly #sql: Sql;
  readonly #waitMs: number;
  readonly #most: number;
  #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param waitMs how long the first waits for others
   * @param most of one statement; 1: nobody waits
   */
  constructor(sql: Sql, { waitMs, most }: { readonly waitMs: number; readonly most: number }) {
    this.#sql = sql;
    this.#waitMs = waitMs;
    this.#most = most;
  }

  /** @throws {@link ControlPlaneError} `ERR_DATABASE`, which all that were taken together are told */
  take(row: HeartbeatRow): Promise<Taken> {
    return new Promise((resolve, reject) => {
      // One statement changes a row once: the second heartbeat of a node is the next statement's.
      if (this.#waiting.some((other) => other.row.node === row.node)) this.#go();
      this.#waiting.push({ row, resolve, reject });
      if (this.#waiting.length >= this.#most) this.#go();
      else this.#timer ??= setTimeout(() => this.#go(), this.#waitMs);
    });
  }

  #go(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const together = this.#waiting;
    this.#waiting = [];
    void this.#run(together);
  }

  async #run(together: readonly Waiting[]): Promise<void> {
    try {
      const rows = await this.#sql.query<{
        node: string;
        taken: boolean;
        document: Uint8Array | null;
      }>(TAKE, [JSON.stringify(together.map(({ row }) => row))]);
      const byNode = Map.groupBy(rows, ({ node }) => node);
      for (const { row, resolve } of together) {
        const own = byNode.get(row.node) ?? [];
        const licences = own.flatMap(({ document }) => (document ? [document] : []));
        resolve({ isTaken: own[0]?.taken, licences });
      }
    } catch (error) {
      for (const { reject } of together) reject(error);
    }
  }
}
