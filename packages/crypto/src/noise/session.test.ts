/** Two directions: when they rekey, where they end, how long a record may be. */
import { describe, expect, test } from "vitest";
import { gcm, rekeyed } from "../../vectors/straight-line-xxhfs.ts";
import { CipherState } from "./cipher-state.ts";
import {
  MAX_RECORD_BYTES,
  MAX_RECORDS,
  MAX_SEALED_BYTES,
  REKEY_INTERVAL,
  Session,
} from "./session.ts";

const [firstKey, secondKey] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
const nothing = new Uint8Array(0);
const handshakeHash = Buffer.alloc(32, 3);
const coded = (code: string) => expect.objectContaining({ name: "CryptoError", code });

/** Both ends of one session, with this many records already behind them in each direction. */
function ends(counter = 0n): { device: Session; worker: Session } {
  const cipher = (key: Buffer) => new CipherState(key, counter);
  return {
    device: new Session({ send: cipher(firstKey), receive: cipher(secondKey), handshakeHash }),
    worker: new Session({ send: cipher(secondKey), receive: cipher(firstKey), handshakeHash }),
  };
}

test("the limits are those of PROTOCOL.md", () => {
  expect([MAX_SEALED_BYTES, MAX_RECORD_BYTES]).toEqual([65_535, 65_519]);
  expect([REKEY_INTERVAL, MAX_RECORDS]).toEqual([65_536n, 4_294_967_296n]);
});

describe("after exactly REKEY_INTERVAL records", () => {
  const record = Buffer.from("record");
  const last = REKEY_INTERVAL - 1n;

  test("the sender has the next key, not one record sooner or later", () => {
    const { device } = ends(last - 1n);
    const sealed = [device.seal(record), device.seal(record), device.seal(record)];
    expect(sealed[0]).toEqual(gcm(firstKey, last - 1n, nothing, record));
    expect(sealed[1]).toEqual(gcm(firstKey, last, nothing, record));
    expect(sealed[2]).toEqual(gcm(rekeyed(firstKey), last + 1n, nothing, record));
  });

  test("the receiver has the next key, not one record sooner or later", () => {
    const { worker } = ends(last);
    expect(worker.open(gcm(firstKey, last, nothing, record))).toEqual(record);
    const underOldKey = gcm(firstKey, last + 1n, nothing, record);
    expect(() => worker.open(underOldKey)).toThrow(coded("ERR_AUTHENTICATION"));
    expect(worker.open(gcm(rekeyed(firstKey), last + 1n, nothing, record))).toEqual(record);
  });

  test("each direction rekeys for itself", () => {
    const { device, worker } = ends(last);
    expect(worker.open(device.seal(record))).toEqual(record);
    expect(worker.open(device.seal(record))).toEqual(record);
    expect(device.open(worker.seal(record))).toEqual(record);
    expect(device.open(worker.seal(record))).toEqual(record);
  });

  test("a forged record at the boundary does not make the receiver rekey", () => {
    const { device, worker } = ends(last);
    expect(() => worker.open(Buffer.alloc(40))).toThrow(coded("ERR_AUTHENTICATION"));
    expect(worker.open(device.seal(record))).toEqual(record);
    expect(() => worker.open(Buffer.alloc(40))).toThrow(coded("ERR_AUTHENTICATION"));
    expect(worker.open(device.seal(record))).toEqual(record);
  });
});

test("record number MAX_RECORDS is the last in either direction", () => {
  const { device, worker } = ends(MAX_RECORDS - 1n);
  const last = device.seal(nothing);
  expect(() => device.seal(nothing)).toThrow(coded("ERR_COUNTER_EXHAUSTED"));
  expect(worker.open(last)).toHaveLength(0);
  const beyond = gcm(rekeyed(firstKey), MAX_RECORDS, nothing, nothing);
  expect(() => worker.open(beyond)).toThrow(coded("ERR_COUNTER_EXHAUSTED"));
});

test("a record of MAX_RECORD_BYTES passes, one byte more is refused by both ends", () => {
  const { device, worker } = ends();
  const longest = Buffer.alloc(MAX_RECORD_BYTES, 9);
  expect(worker.open(device.seal(longest))).toEqual(longest);
  expect(() => device.seal(Buffer.alloc(MAX_RECORD_BYTES + 1))).toThrow(coded("ERR_LENGTH"));
  const longer = gcm(firstKey, 1n, nothing, Buffer.alloc(MAX_RECORD_BYTES + 1));
  expect(() => worker.open(longer)).toThrow(coded("ERR_LENGTH"));
  expect(worker.open(device.seal(longest))).toEqual(longest);
});

test("a record reflected to its sender is refused", () => {
  const { device } = ends();
  const sealed = device.seal(Buffer.from("record"));
  expect(() => device.open(sealed)).toThrow(coded("ERR_AUTHENTICATION"));
});

test("an empty record and one without room for a tag", () => {
  const { device, worker } = ends();
  expect(worker.open(device.seal(nothing))).toHaveLength(0);
  expect(() => worker.open(nothing)).toThrow(coded("ERR_LENGTH"));
  expect(() => worker.open(Buffer.alloc(15))).toThrow(coded("ERR_LENGTH"));
});

test("an erased session neither seals nor opens", () => {
  const { device, worker } = ends();
  const sealed = worker.seal(nothing);
  device.erase();
  device.erase();
  expect(() => device.seal(nothing)).toThrow(coded("ERR_STEP_REUSED"));
  expect(() => device.open(sealed)).toThrow(coded("ERR_STEP_REUSED"));
  expect(device.handshakeHash).toEqual(handshakeHash);
});
