/** Public keys that would make a secret everybody knows, or that are none. */
import { describe, expect, test } from "vitest";
import {
  certificate,
  deviceAwaiting2,
  deviceState,
  message1,
  message2,
  workerAwaiting1,
  workerAwaiting3,
  workerOffering2,
} from "../../vectors/fixed-handshake.ts";
import { nobleFrom } from "../../vectors/derandomised-ml-kem.ts";
import { badEncapsulationKeys, lowOrderPoints } from "../../vectors/bad-keys.ts";
import { loadMlKem } from "../ml-kem.ts";
import { generateX25519 } from "../x25519.ts";

const badKey = expect.objectContaining({ name: "CryptoError", code: "ERR_BAD_KEY" });

describe.each(lowOrderPoints)("the low-order X25519 point %s", (point) => {
  const publicKey = Buffer.from(point, "hex");
  const forged = { publicKey, privateKey: generateX25519().privateKey };

  test("as a device's ephemeral key gets no message 2", () => {
    const first = deviceState({ fixedEphemeral: forged }).writeMessage(Buffer.alloc(0));
    const offer = workerAwaiting1().read(first);
    expect(() => offer.write(certificate)).toThrow(badKey);
  });

  test("as a worker's ephemeral key is refused by the device", () => {
    const answer = Buffer.concat([publicKey, message2.subarray(32)]);
    expect(() => deviceAwaiting2().read(answer)).toThrow(badKey);
  });

  test("as a worker's static key is refused by the device", () => {
    const { message2: answer } = workerOffering2({ localStatic: forged }).write(certificate);
    expect(() => deviceAwaiting2().read(answer)).toThrow(badKey);
  });

  test("as a device's static key is refused by the worker", () => {
    const { message3 } = deviceAwaiting2({ localStatic: forged }).read(message2).next.write();
    expect(() => workerAwaiting3().read(message3)).toThrow(badKey);
  });
});

const engines = [await loadMlKem("native"), await loadMlKem("libsodium")];

describe.each(badEncapsulationKeys(nobleFrom().generate().publicKey))(
  "an encapsulation key with $name",
  ({ key }) => {
    test("gets no message 2, whichever ML-KEM the worker has", () => {
      const first = Buffer.concat([message1.subarray(0, 32), key]);
      for (const mlKem of engines) {
        const offer = workerAwaiting1({ mlKem }).read(first);
        expect(() => offer.write(certificate)).toThrow(badKey);
      }
    });
  },
);
