/**
 * One heartbeat: verified, taken in one statement, answered. Nothing is acknowledged that the database has not kept.
 *
 * A node that has no licence from here is answered too, and nothing of it is kept: a stranger can fill no table.
 *
 * @module
 */
import {
  CryptoError,
  documentHash,
  heartbeatAnswerDocument,
  heartbeatDocument,
  MAX_ANSWERED_LICENCES,
  type Heartbeat,
} from "@phantoma/crypto";
import { encodeAnswerBody } from "@phantoma/protocol";
import type { Authority } from "../authority.ts";
import { ControlPlaneError } from "../control-plane-error.ts";
import type { Sql } from "../database/sql.ts";

const HEALTH = { good: 1, degraded: 2, failing: 3 } as const satisfies Record<
  Heartbeat["health"],
  number
>;

/**
 * The same heartbeat again, which is what a node sends when an answer was lost, changes nothing but is taken; an older
 * one is not.
 */
const TAKE = `
  WITH taken AS (
    UPDATE nodes SET seen_at = $4, sequence = $2::text::numeric, heartbeat = $3, release = $5,
      root_version = $6, targets_version = $7, health = $8
    WHERE key = $1 AND (sequence IS NULL OR sequence < $2::text::numeric OR heartbeat = $3)
    RETURNING key
  )
  SELECT (taken.key IS NOT NULL) AS taken, licences.document
  FROM nodes LEFT JOIN taken ON taken.key = nodes.key LEFT JOIN licences ON licences.node = nodes.key
  WHERE nodes.key = $1 ORDER BY licences.not_after DESC LIMIT ${MAX_ANSWERED_LICENCES}`;

export interface Receiver {
  readonly sql: Sql;
  readonly authority: Authority;
  /** The repository's `timestamp.json`; `undefined` where there is none. */
  readonly timestamp: () => Promise<Buffer | undefined>;
  /** @throws {@link ControlPlaneError} `ERR_RATE` */
  readonly limitNode: (node: string) => void;
  readonly now: () => number;
}

/** @throws {@link ControlPlaneError} */
export async function receiveHeartbeat(receiver: Receiver, untrusted: Uint8Array): Promise<Buffer> {
  const heartbeat = open(untrusted);
  const node = Buffer.from(heartbeat.node);
  receiver.limitNode(node.toString("hex"));
  const now = receiver.now();
  const rows = await receiver.sql.query<{ taken: boolean; document: Uint8Array | null }>(TAKE, [
    node,
    String(heartbeat.sequence),
    Buffer.from(documentHash(untrusted)),
    now,
    Buffer.from(heartbeat.release),
    heartbeat.rootVersion,
    heartbeat.targetsVersion,
    HEALTH[heartbeat.health],
  ]);
  if (rows[0]?.taken === false) throw new ControlPlaneError("ERR_SEQUENCE");
  const licences = rows.flatMap(({ document }) => (document ? [document] : []));
  const timestamp = await receiver.timestamp();
  const answer = heartbeatAnswerDocument.sign(
    {
      node: heartbeat.node,
      nonce: heartbeat.nonce,
      time: now,
      timestamp: timestamp ? documentHash(timestamp) : null,
      licences: licences.map((document) => documentHash(document)),
    },
    receiver.authority.privateKey,
  );
  return encodeAnswerBody({ answer, timestamp: timestamp ?? new Uint8Array(0), licences });
}

function open(untrusted: Uint8Array): Heartbeat {
  try {
    return heartbeatDocument.open(untrusted, ({ node }) => node);
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    const isForged = error.code === "ERR_AUTHENTICATION";
    throw new ControlPlaneError(isForged ? "ERR_SIGNATURE" : "ERR_HEARTBEAT");
  }
}
