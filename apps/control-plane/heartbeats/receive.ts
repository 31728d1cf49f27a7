/**
 * One heartbeat: verified, taken, answered. Nothing is acknowledged that the database has not kept.
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
  type Heartbeat,
} from "@phantoma/crypto";
import { encodeAnswerBody } from "@phantoma/protocol";
import type { Authority } from "../authority.ts";
import { ControlPlaneError } from "../control-plane-error.ts";
import type { Together } from "./together.ts";

const HEALTH = { good: 1, degraded: 2, failing: 3 } as const satisfies Record<
  Heartbeat["health"],
  number
>;

export interface Receiver {
  readonly together: Together;
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
  const node = hex(heartbeat.node);
  receiver.limitNode(node);
  const now = receiver.now();
  const { isTaken, licences } = await receiver.together.take({
    node,
    sequence: String(heartbeat.sequence),
    heartbeat: hex(documentHash(untrusted)),
    release: hex(heartbeat.release),
    root_version: heartbeat.rootVersion,
    targets_version: heartbeat.targetsVersion,
    health: HEALTH[heartbeat.health],
    seen_at: now,
  });
  if (isTaken === false) throw new ControlPlaneError("ERR_SEQUENCE");
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

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
