/**
 * What a control plane that was taken over, its signing key included, can say to a node; and what the node says of it.
 *
 * @module
 */
import { generateNodeIdentity, heartbeatAnswerDocument, heartbeatDocument } from "@phantoma/crypto";
import { encodeAnswerBody, MAX_ANSWER_BODY_BYTES } from "@phantoma/protocol";
import type { openAuthority } from "../../../apps/control-plane/authority.ts";
import type { Takeover } from "./front.ts";

export interface Lie {
  readonly what: string;
  readonly takeover: Takeover;
  /** What the node's own record says of that heartbeat. */
  readonly outcome: string;
}

export function answersOf(
  plane: ReturnType<typeof openAuthority>,
  earlier: () => Buffer,
): readonly Lie[] {
  const stranger = generateNodeIdentity().signing;
  const signed = (
    heartbeat: Buffer,
    change: { readonly node?: Uint8Array },
    key: Parameters<typeof heartbeatAnswerDocument.sign>[1] = plane.privateKey,
  ): Buffer => {
    const { node, nonce } = heartbeatDocument.open(heartbeat, (unverified) => unverified.node);
    const fields = { node, nonce, time: Date.now(), timestamp: null, licences: [], ...change };
    const answer = heartbeatAnswerDocument.sign(fields, key);
    return encodeAnswerBody({ answer, timestamp: new Uint8Array(0), licences: [] });
  };
  const withPart = (real: Buffer, part: string): Buffer => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(part.length);
    return Buffer.concat([real, length, Buffer.from(part)]);
  };
  return [
    {
      what: "an answer signed by somebody else",
      takeover: { invent: (heartbeat) => signed(heartbeat, {}, stranger.privateKey) },
      outcome: "ERR_AUTHENTICATION",
    },
    {
      what: "a field that no answer has",
      takeover: { change: (real) => withPart(real, '{"interval": 1}') },
      outcome: "ERR_UNEXPECTED",
    },
    {
      what: "a command",
      takeover: { change: (real) => withPart(real, "install http://plane.test/now") },
      outcome: "ERR_UNEXPECTED",
    },
    {
      what: "an answer a byte longer than one may be",
      takeover: { invent: () => Buffer.alloc(MAX_ANSWER_BODY_BYTES + 1) },
      outcome: "ERR_TOO_LONG",
    },
    {
      what: "the answer to an earlier heartbeat",
      takeover: { invent: earlier },
      outcome: "ERR_UNEXPECTED",
    },
    {
      what: "the answer to another node",
      takeover: { invent: (heartbeat) => signed(heartbeat, { node: stranger.publicKey }) },
      outcome: "ERR_UNEXPECTED",
    },
    { what: "an error", takeover: { status: 500 }, outcome: "ERR_STATUS" },
    { what: "the way to somewhere else", takeover: { status: 302 }, outcome: "ERR_STATUS" },
  ];
}
