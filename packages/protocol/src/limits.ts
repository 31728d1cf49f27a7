/**
 * Every limit of the wire, with its unit and its reason. PROTOCOL.md, section 9, lists the same.
 *
 * @module
 */

/** A prompt with history and attachments; 8 MiB of text is beyond any model's context. */
export const MAX_REQUEST_BYTES = 8 * 1024 * 1024;

/** An answer's messages are small; a status page or receipt list is the largest. */
export const MAX_RESPONSE_BYTES = 1024 * 1024;

/** A piece of a pushed model: in base64 with its request it fits into one record of the largest size. */
export const MAX_PUSH_CHUNK_BYTES = 45_000;

/** Bundles of a node in one place: what runs, what waits, and what was pushed by mistake; then the one that came first goes. */
export const MAX_HELD_BUNDLES = 8;

/** Turns, attachments and control requests under way at once in one session. */
export const MAX_LIVE_STREAMS = 16;

/** Plaintext of an answer's record: on the wire 16 bytes more. */
export const STEADY_RECORD_BYTES = 256;

/** Sizes that a request is padded to; the largest is what one Noise message can hold. */
export const REQUEST_RECORD_BYTES = [1024, 4096, 16_384, 65_519] as const;

/** One record of an answer leaves this often: 50 kB/s carries over 2,000 tokens/s. */
export const DEFAULT_TICK_MS = 5;

/** The gateway asks the worker this long before each tick, so that a busy CPU does not show. */
export const ASK_AHEAD_MS = 2;

/** A handshake that takes longer is given up. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;

/** A ticket is good this long either side of the node's clock. */
export const TICKET_LIFETIME_MS = 60_000;

/** Nobody waits longer for a worker; the keeper's own check of tickets is this generous. */
export const MAX_QUEUE_WAIT_MS = 600_000;

/** How long a certificate says that it is good; a device trusts its fresh ticket, not a clock. */
export const CERTIFICATE_LIFETIME_MS = 30_000;

/** A conversation without a turn is ended, and its process with it. */
export const IDLE_TIMEOUT_MS = 120_000;

/** A session ends and a new hybrid handshake begins. */
export const MAX_SESSION_MS = 60 * 60_000;

/** The gateway's own text frames, which nothing depends on. */
export const MAX_NOTE_BYTES = 256;

/** What a refused upgrade answers with, read by a device that does not trust it. */
export const MAX_REFUSAL_BYTES = 1024;

/** The answer to a heartbeat: `timestamp.json` is the largest part of it. */
export const MAX_ANSWER_BODY_BYTES = 65_536;

/** Device lists in one answer. */
export const MAX_DEVICE_LISTS = 64;

/** Bytes of them, before base64: well within a response. */
export const MAX_DEVICE_LISTS_BYTES = 400 * 1024;

/** Rows of a vault in one answer: in base64 half of a response. */
export const MAX_VAULT_ROWS = 8192;

/** Changes of a vault in one commit: with its documents they fit into one request to the keeper. */
export const MAX_VAULT_CHANGES = 4096;

/** Objects asked for at once: most are small, and an answer has what fits. */
export const MAX_VAULT_GET = 256;
