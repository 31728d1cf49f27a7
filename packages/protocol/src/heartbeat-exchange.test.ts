/** What a node refuses of whoever answers in the control plane's place, and of the control plane itself. */
import {
  CryptoError,
  documentHash,
  generateNodeIdentity,
  heartbeatAnswerDocument,
  licenceDocument,
  type HeartbeatAnswer,
  type Licence,
} from "@phantoma/crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeAnswerBody, openAnswerBody } from "./heartbeat-exchange.ts";
import { MAX_ANSWER_BODY_BYTES } from "./limits.ts";
import { ProtocolError } from "./protocol-error.ts";

const controlPlane = generateNodeIdentity().signing;
const node = generateNodeIdentity().signing.publicKey;
const other = generateNodeIdentity();
const heartbeat = { node, nonce: new Uint8Array(16).fill(7) };
const timestamp = Buffer.from('{"signed":{}}');

function licence(change: Partial<Licence> = {}, key = controlPlane.privateKey): Uint8Array {
  const fields: Licence = {
    id: new Uint8Array(16).fill(1),
    sequence: 1n,
    node,
    holder: "Ada",
    edition: "team",
    devices: 3,
    issuedAt: 1,
    notBefore: 1,
    notAfter: 2,
    graceDays: 30,
  };
  return licenceDocument.sign({ ...fields, ...change }, key);
}

interface How {
  readonly answer?: Partial<HeartbeatAnswer>;
  readonly licences?: readonly Uint8Array[];
  readonly sent?: readonly Uint8Array[];
  readonly timestamp?: Uint8Array;
  readonly key?: typeof controlPlane.privateKey;
}

function body(how: How = {}): Buffer {
  const licences = how.licences ?? [licence()];
  const answer = heartbeatAnswerDocument.sign(
    {
      ...heartbeat,
      time: 5,
      timestamp: documentHash(timestamp),
      licences: licences.map((one) => documentHash(one)),
      ...how.answer,
    },
    how.key ?? controlPlane.privateKey,
  );
  return encodeAnswerBody({
    answer,
    timestamp: how.timestamp ?? timestamp,
    licences: how.sent ?? licences,
  });
}

const open = (bytes: Uint8Array) => openAnswerBody(bytes, heartbeat, controlPlane.publicKey);

test("an answer to this heartbeat gives its time, timestamp and licences", () => {
  const opened = open(body());
  expect(opened.time).toBe(5);
  expect(Buffer.from(opened.timestamp!)).toEqual(timestamp);
  expect(opened.licences.map((one) => one.licence.holder)).toEqual(["Ada"]);
  const without = { answer: { timestamp: null }, timestamp: Buffer.alloc(0), licences: [] };
  expect(open(body(without))).toEqual({ time: 5, timestamp: null, licences: [] });
});

test.each<[string, How, string]>([
  ["an old nonce", { answer: { nonce: new Uint8Array(16) } }, "another heartbeat"],
  ["another node's answer", { answer: { node: other.signing.publicKey } }, "another node"],
  ["another timestamp", { timestamp: Buffer.from("{}") }, "another timestamp"],
  ["a timestamp that is not named", { answer: { timestamp: null } }, "another timestamp"],
  ["a licence too many", { sent: [licence(), licence()] }, "not the licences"],
  ["a licence too few", { sent: [] }, "not the licences"],
  ["another licence", { sent: [licence({ devices: 60 })] }, "not the licences"],
  [
    "another node's licence",
    { licences: [licence({ node: other.signing.publicKey })] },
    "of another node",
  ],
])("%s is refused and says why", (_name, how, why) => {
  expect(() => open(body(how))).toThrow(expect.objectContaining({ code: "ERR_UNEXPECTED" }));
  expect(() => open(body(how))).toThrow(why);
});

test("who is not named by the order signs neither answers nor licences", () => {
  const key = other.signing.privateKey;
  const forged = expect.objectContaining({ code: "ERR_AUTHENTICATION" });
  expect(() => open(body({ key }))).toThrow(forged);
  expect(() => open(body({ licences: [licence({}, key)] }))).toThrow(forged);
});

test("an answer of the most bytes is looked at, a longer one is not", () => {
  const at = (length: number) => Buffer.alloc(length, 0);
  expect(() => open(at(MAX_ANSWER_BODY_BYTES))).toThrow(
    expect.objectContaining({ code: "ERR_LENGTH" }),
  );
  expect(() => open(at(MAX_ANSWER_BODY_BYTES + 1))).toThrow(
    expect.objectContaining({ code: "ERR_LIMIT" }),
  );
});

test("no byte can be added, taken away or changed", () => {
  const good = body();
  const refused = (bytes: Uint8Array) => {
    try {
      open(bytes);
    } catch (error) {
      if (error instanceof CryptoError || error instanceof ProtocolError) return true;
      throw error;
    }
    return false;
  };
  for (let at = 0; at < good.length; at += 1) {
    const changed = Buffer.from(good);
    changed[at]! ^= 1;
    expect(refused(changed), `byte ${at}`).toBe(true);
    expect(refused(good.subarray(0, at)), `cut at ${at}`).toBe(true);
  }
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (more) =>
      refused(Buffer.concat([good, more])),
    ),
    { numRuns: 300 },
  );
  // A command in words that a careless reader would follow.
  const command = Buffer.from('{"command":"update"}');
  const length = Buffer.alloc(2);
  length.writeUInt16BE(command.length);
  expect(refused(Buffer.concat([good, length, command]))).toBe(true);
});

test("random bytes are refused with a code", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
      expect(() => open(bytes)).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^ERR_/) }),
      );
    }),
    { numRuns: 300 },
  );
});
