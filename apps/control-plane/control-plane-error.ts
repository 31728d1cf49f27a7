/**
 * Every refusal of the control plane: a code, its HTTP status, and what whoever asked should do.
 *
 * @module
 */

const refusals = {
  /** The body is not one heartbeat of the known layout. */
  ERR_HEARTBEAT: [400, "Update the node: this is no heartbeat that is known here."],
  /** The heartbeat was not signed by the node that it names. */
  ERR_SIGNATURE: [401, "Ask the node for a fresh heartbeat."],
  /** A heartbeat that is newer than this one was taken before. */
  ERR_SEQUENCE: [409, "Send the node's newest heartbeat; if it is the newest, raise its sequence."],
  ERR_RATE: [429, "Wait as long as Retry-After says."],
  ERR_TOO_LARGE: [413, "Send less: what is asked here is short."],
  ERR_DATABASE: [503, "Nothing was taken. Send it again after Retry-After."],
  ERR_NOT_FOUND: [404, "Look into /openapi.json for what there is."],
  ERR_REQUEST: [400, "Look into /openapi.json for what this takes."],
  ERR_OPERATOR: [401, "Send the operator's token, which lies in the state folder."],
  ERR_LICENCE_UNKNOWN: [404, "There is no licence of this id."],
  ERR_LICENCE_REVOKED: [409, "It was revoked: issue another one."],
  ERR_IDEMPOTENCY: [409, "This Idempotency-Key was used for something else: choose a new one."],
  ERR_INTERNAL: [500, "Look into the control plane's log."],
} as const satisfies Record<string, readonly [status: number, advice: string]>;

export type ControlPlaneErrorCode = keyof typeof refusals;

export class ControlPlaneError extends Error {
  override readonly name = "ControlPlaneError";
  readonly code: ControlPlaneErrorCode;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ControlPlaneErrorCode, retryAfterSeconds?: number) {
    super(refusals[code][1]);
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  get status(): number {
    return refusals[this.code][0];
  }
}
