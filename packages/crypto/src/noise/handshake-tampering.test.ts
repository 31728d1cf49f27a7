/** What a gateway can do to the three messages, and when it is noticed. */
import { describe, expect, test } from "vitest";
import {
  certificate,
  deviceAwaiting2,
  message1,
  message2,
  message3,
  workerAwaiting1,
  workerAwaiting3,
  workerOffering2,
} from "../../vectors/fixed-handshake.ts";
import { loadMlKem } from "../ml-kem.ts";
import { generateX25519 } from "../x25519.ts";
import {
  MAX_MESSAGE_2_PAYLOAD_BYTES,
  MESSAGE_1_BYTES,
  MESSAGE_2_MIN_BYTES,
  MESSAGE_3_BYTES,
  startInitiator,
} from "./handshake.ts";

const coded = (...codes: string[]) =>
  expect.objectContaining({ name: "CryptoError", code: expect.toBeOneOf(codes) });

function flipped(message: Buffer, index: number, mask = 1 << (index % 8)): Buffer {
  const copy = Buffer.from(message);
  copy[index]! ^= mask;
  return copy;
}

function failure(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return "accepted";
}

const mlKem = await loadMlKem();

/** Gives a worker this message 1 and a device the answer, as far as that goes. */
function finishAfter(alteredMessage1: Buffer): void {
  const worker = workerAwaiting1({ mlKem });
  const { message2: answer } = worker.read(alteredMessage1).write(certificate);
  deviceAwaiting2().read(answer);
}

test("the fixed handshake itself is accepted, so that the refusals below mean something", () => {
  finishAfter(message1);
  const { session } = workerAwaiting3().read(message3);
  const device = deviceAwaiting2().read(message2).next.write();
  expect(session.open(device.session.seal(Buffer.from("hello"))).toString()).toBe("hello");
});

test("the messages have the lengths of PROTOCOL.md", () => {
  expect([MESSAGE_1_BYTES, MESSAGE_2_MIN_BYTES, MESSAGE_3_BYTES]).toEqual([1216, 1200, 64]);
  expect(message1).toHaveLength(1216);
  expect(message2).toHaveLength(1200 + certificate.length);
  expect(message3).toHaveLength(64);
});

describe("a flipped byte", () => {
  test("anywhere in message 1 is noticed by the worker's answer or the device's read", () => {
    for (let index = 0; index < message1.length; index += 1)
      expect(failure(() => finishAfter(flipped(message1, index)))).toEqual(
        index < 32 ? coded("ERR_AUTHENTICATION") : coded("ERR_AUTHENTICATION", "ERR_BAD_KEY"),
      );
  });

  test("anywhere in message 2 is noticed by the device's read", () => {
    for (let index = 0; index < message2.length; index += 1)
      expect(failure(() => deviceAwaiting2().read(flipped(message2, index)))).toEqual(
        coded("ERR_AUTHENTICATION"),
      );
  });

  test("anywhere in message 3 is noticed by the worker's read", () => {
    for (let index = 0; index < message3.length; index += 1)
      expect(failure(() => workerAwaiting3().read(flipped(message3, index)))).toEqual(
        coded("ERR_AUTHENTICATION"),
      );
  });

  test("is noticed even where X25519 ignores it: the top bit of both ephemeral keys", () => {
    expect(failure(() => finishAfter(flipped(message1, 31, 0x80)))).toEqual(
      coded("ERR_AUTHENTICATION"),
    );
    expect(failure(() => deviceAwaiting2().read(flipped(message2, 31, 0x80)))).toEqual(
      coded("ERR_AUTHENTICATION"),
    );
  });
});

describe("a message of another length", () => {
  test("message 1 is refused at every length but its own", () => {
    for (let length = 0; length < message1.length; length += 1)
      expect(failure(() => workerAwaiting1().read(message1.subarray(0, length)))).toEqual(
        coded("ERR_LENGTH"),
      );
    expect(failure(() => workerAwaiting1().read(longer(message1)))).toEqual(coded("ERR_LENGTH"));
  });

  test("message 2 is refused at every length but its own", () => {
    for (let length = 0; length < message2.length; length += 1)
      expect(failure(() => deviceAwaiting2().read(message2.subarray(0, length)))).toEqual(
        coded(length < MESSAGE_2_MIN_BYTES ? "ERR_LENGTH" : "ERR_AUTHENTICATION"),
      );
    expect(failure(() => deviceAwaiting2().read(longer(message2)))).toEqual(
      coded("ERR_AUTHENTICATION"),
    );
  });

  test("message 3 is refused at every length but its own", () => {
    for (let length = 0; length < message3.length; length += 1)
      expect(failure(() => workerAwaiting3().read(message3.subarray(0, length)))).toEqual(
        coded("ERR_LENGTH"),
      );
    expect(failure(() => workerAwaiting3().read(longer(message3)))).toEqual(coded("ERR_LENGTH"));
  });

  test("the longest certificate passes, one byte more is refused by both ends", () => {
    const longest = Buffer.alloc(MAX_MESSAGE_2_PAYLOAD_BYTES, 7);
    const { message2: answer } = workerOffering2().write(longest);
    expect(deviceAwaiting2().read(answer).certificate).toEqual(longest);
    expect(failure(() => workerOffering2().write(longer(longest)))).toEqual(coded("ERR_LENGTH"));
    expect(failure(() => deviceAwaiting2().read(longer(answer)))).toEqual(coded("ERR_LENGTH"));
  });
});

describe("a message that belongs elsewhere", () => {
  test("message 1 reflected to its device", () => {
    expect(failure(() => deviceAwaiting2().read(message1))).toEqual(coded("ERR_AUTHENTICATION"));
  });

  test("message 2 reflected to its worker, also when it is as long as message 1", () => {
    const { message2: asLong } = workerOffering2().write(Buffer.alloc(16));
    expect(asLong).toHaveLength(MESSAGE_1_BYTES);
    const again = workerAwaiting1({ mlKem }).read(asLong);
    expect(failure(() => again.write(certificate))).toEqual(coded("ERR_BAD_KEY"));
    expect(failure(() => workerAwaiting3().read(message2))).toEqual(coded("ERR_LENGTH"));
  });

  test("message 3 reflected to its device, and message 1 where message 3 is due", () => {
    expect(failure(() => deviceAwaiting2().read(message3))).toEqual(coded("ERR_LENGTH"));
    expect(failure(() => workerAwaiting3().read(message1))).toEqual(coded("ERR_LENGTH"));
  });

  test("message 2 for another device's message 1", async () => {
    const { message1: theirs } = await startInitiator({
      localStatic: generateX25519(),
      prologue: Buffer.from("prologue"),
    });
    const { message2: answer } = workerAwaiting1().read(theirs).write(certificate);
    expect(failure(() => deviceAwaiting2().read(answer))).toEqual(coded("ERR_AUTHENTICATION"));
  });

  test("message 3 of another handshake", () => {
    const other = workerOffering2({ fixedEphemeral: generateX25519() }).write(certificate);
    expect(failure(() => other.next.read(message3))).toEqual(coded("ERR_AUTHENTICATION"));
  });

  test("message 3 for another certificate", () => {
    const { next } = workerOffering2().write(Buffer.from("another certificate"));
    expect(failure(() => next.read(message3))).toEqual(coded("ERR_AUTHENTICATION"));
  });
});

test("ends with different prologues never get past message 2", () => {
  for (const prologue of [Buffer.alloc(0), Buffer.from("prologuf"), Buffer.from("prologue\0")]) {
    const { message2: answer } = workerOffering2({ prologue }).write(certificate);
    expect(failure(() => deviceAwaiting2().read(answer))).toEqual(coded("ERR_AUTHENTICATION"));
    expect(failure(() => deviceAwaiting2({ prologue }).read(message2))).toEqual(
      coded("ERR_AUTHENTICATION"),
    );
  }
});

test("a worker without the static key it names cannot answer", () => {
  const { publicKey } = generateX25519();
  const localStatic = { publicKey, privateKey: generateX25519().privateKey };
  const { message2: answer } = workerOffering2({ localStatic }).write(certificate);
  expect(failure(() => deviceAwaiting2().read(answer))).toEqual(coded("ERR_AUTHENTICATION"));
});

test("a device without the static key it names gets no session", () => {
  const { publicKey } = generateX25519();
  const localStatic = { publicKey, privateKey: generateX25519().privateKey };
  const { message3: forged } = deviceAwaiting2({ localStatic }).read(message2).next.write();
  expect(failure(() => workerAwaiting3().read(forged))).toEqual(coded("ERR_AUTHENTICATION"));
});

function longer(message: Buffer): Buffer {
  return Buffer.concat([message, Buffer.of(0)]);
}
