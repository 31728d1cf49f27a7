/**
 * The body of the answer to a heartbeat, and what a node believes of it. PROTOCOL.md, section 7.12.
 *
 *   size     part
 *   2 + n    the signed answer
 *   2 + n    timestamp.json; empty where the answer names none
 *   2 + n    each licence, in the answer's order
 *
 * Nothing follows, so there is no place for anything else: no field that is not known, and no command.
 *
 * @module
 */
import {
  documentHash,
  heartbeatAnswerDocument,
  licenceDocument,
  sameBytes,
  type Heartbeat,
  type Licence,
} from "@phantoma/crypto";
import { MAX_ANSWER_BODY_BYTES } from "./limits.ts";
import { ProtocolError } from "./protocol-error.ts";

const LENGTH_BYTES = 2;

export interface AnswerBody {
  readonly answer: Uint8Array;
  /** Empty: there is none. */
  readonly timestamp: Uint8Array;
  readonly licences: readonly Uint8Array[];
}

export interface VerifiedAnswer {
  /** The control plane's clock, in milliseconds since 1970. */
  readonly time: number;
  /** The repository's `timestamp.json`, which only the release's verifier can judge. */
  readonly timestamp: Uint8Array | null;
  readonly licences: readonly { readonly document: Uint8Array; readonly licence: Licence }[];
}

export function encodeAnswerBody({ answer, timestamp, licences }: AnswerBody): Buffer {
  return Buffer.concat(
    [answer, timestamp, ...licences].flatMap((part) => {
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeUInt16BE(part.length);
      return [length, part];
    }),
  );
}

/**
 * @param heartbeat the one that was sent; its answer and no other is taken
 * @param controlPlane whom the standing order names
 * @throws {@link ProtocolError} `ERR_LIMIT`, `ERR_MALFORMED`, or `ERR_UNEXPECTED` for the answer to another heartbeat
 * or node, and for files that it does not name
 * @param issuers who may sign licences
 * @throws CryptoError when the answer is not signed by `controlPlane`, or a licence by nobody of `issuers`
 */
export function openAnswerBody(
  untrusted: Uint8Array,
  heartbeat: Pick<Heartbeat, "node" | "nonce">,
  controlPlane: Uint8Array,
  issuers: readonly Uint8Array[] = [controlPlane],
): VerifiedAnswer {
  const [signed, timestamp, ...licences] = split(untrusted);
  if (!signed || !timestamp)
    throw new ProtocolError("ERR_MALFORMED", "an answer with parts missing");
  const answer = heartbeatAnswerDocument.open(signed, () => controlPlane);
  if (!sameBytes(answer.node, heartbeat.node)) unexpected("the answer to another node");
  if (!sameBytes(answer.nonce, heartbeat.nonce)) unexpected("the answer to another heartbeat");
  if (answer.timestamp === null ? timestamp.length > 0 : !isNamed(timestamp, answer.timestamp))
    unexpected("another timestamp than the answer names");
  if (licences.length !== answer.licences.length) unexpected("not the licences that it names");
  return {
    time: answer.time,
    timestamp: answer.timestamp === null ? null : timestamp,
    licences: licences.map((document, index) => {
      if (!isNamed(document, answer.licences[index]!)) unexpected("not the licences that it names");
      const licence = openLicence(document, issuers);
      if (!sameBytes(licence.node, heartbeat.node)) unexpected("a licence of another node");
      return { document, licence };
    }),
  };
}

/**
 * A licence does not say who signed it: each of `issuers` is tried.
 *
 * @throws CryptoError when none of them did
 */
export function openLicence(untrusted: Uint8Array, issuers: readonly Uint8Array[]): Licence {
  const [first, ...others] = issuers;
  try {
    return licenceDocument.open(untrusted, () => first);
  } catch (error) {
    if (others.length === 0) throw error;
    return openLicence(untrusted, others);
  }
}

function split(untrusted: Uint8Array): Uint8Array[] {
  if (untrusted.length > MAX_ANSWER_BODY_BYTES)
    throw new ProtocolError("ERR_LIMIT", `an answer of ${untrusted.length} bytes`);
  const bytes = Buffer.from(untrusted);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end =
      at + LENGTH_BYTES <= bytes.length ? at + LENGTH_BYTES + bytes.readUInt16BE(at) : NaN;
    if (!(end <= bytes.length))
      throw new ProtocolError("ERR_MALFORMED", "an answer that is cut off");
    parts.push(new Uint8Array(bytes.subarray(at + LENGTH_BYTES, end)));
    at = end;
  }
  return parts;
}

function isNamed(bytes: Uint8Array, digest: Uint8Array): boolean {
  return sameBytes(documentHash(bytes), digest);
}

function unexpected(message: string): never {
  throw new ProtocolError("ERR_UNEXPECTED", message);
}
