/** Every step of the handshake works once, whether it succeeded or failed. */
import { beforeEach, describe, expect, test, vi } from "vitest";
import {
  certificate,
  deviceAwaiting2,
  deviceState,
  fixedMlKem,
  message1,
  message2,
  message3,
  workerAwaiting1,
  workerAwaiting3,
  workerOffering2,
} from "../../vectors/fixed-handshake.ts";
import { MAX_MESSAGE_2_PAYLOAD_BYTES } from "./handshake.ts";

const reused = expect.objectContaining({ name: "CryptoError", code: "ERR_STEP_REUSED" });

const steps = [
  {
    name: "the worker's read of message 1",
    make: workerAwaiting1,
    good: (step: ReturnType<typeof workerAwaiting1>) => step.read(message1),
    bad: (step: ReturnType<typeof workerAwaiting1>) => step.read(Buffer.alloc(1)),
  },
  {
    name: "the worker's write of message 2",
    make: workerOffering2,
    good: (step: ReturnType<typeof workerOffering2>) => step.write(certificate),
    bad: (step: ReturnType<typeof workerOffering2>) =>
      step.write(Buffer.alloc(MAX_MESSAGE_2_PAYLOAD_BYTES + 1)),
  },
  {
    name: "the device's read of message 2",
    make: deviceAwaiting2,
    good: (step: ReturnType<typeof deviceAwaiting2>) => step.read(message2),
    bad: (step: ReturnType<typeof deviceAwaiting2>) => step.read(message1),
  },
  {
    name: "the worker's read of message 3",
    make: workerAwaiting3,
    good: (step: ReturnType<typeof workerAwaiting3>) => step.read(message3),
    bad: (step: ReturnType<typeof workerAwaiting3>) => step.read(Buffer.alloc(64)),
  },
] as readonly {
  name: string;
  make: () => any;
  good: (step: any) => unknown;
  bad: (step: any) => unknown;
}[];

test.each(steps)("$name works once", ({ make, good }) => {
  const step = make();
  good(step);
  expect(() => good(step)).toThrow(reused);
});

test.each(steps)("$name works never again after it failed", ({ make, good, bad }) => {
  const step = make();
  expect(() => bad(step)).toThrow(expect.objectContaining({ name: "CryptoError" }));
  expect(() => good(step)).toThrow(reused);
  expect(() => bad(step)).toThrow(reused);
});

test("the device's write of message 3 works once", () => {
  const { next } = deviceAwaiting2().read(message2);
  next.write();
  expect(() => next.write()).toThrow(reused);
});

describe("the one-time KEM key is erased", () => {
  const erase = vi.fn();
  const mlKem = { ...fixedMlKem, generate: () => ({ ...fixedMlKem.generate(), erase }) };
  beforeEach(() => erase.mockClear());

  test("when the handshake failed", () => {
    const step = deviceAwaiting2({ mlKem });
    expect(() => step.read(message1)).toThrow();
    expect(erase).toHaveBeenCalledOnce();
  });

  test("when it is finished, and not before", () => {
    const { next } = deviceAwaiting2({ mlKem }).read(message2);
    expect(erase).not.toHaveBeenCalled();
    next.write();
    expect(erase).toHaveBeenCalledOnce();
  });
});

test("a finished handshake writes and reads nothing more", () => {
  const state = deviceState();
  state.writeMessage(Buffer.alloc(0));
  state.readMessage(message2);
  state.writeMessage(Buffer.alloc(0));
  expect(() => state.writeMessage(Buffer.alloc(0))).toThrow(reused);
  expect(() => state.readMessage(message1)).toThrow(reused);
});

test("a message cannot be read before the keys that it needs were sent", () => {
  const state = deviceState();
  state.readMessage(message1);
  expect(() => state.readMessage(message2)).toThrow(reused);
});

test("a device that refuses the certificate can no longer reveal itself", () => {
  const { next } = deviceAwaiting2().read(message2);
  next.refuse();
  expect(() => next.write()).toThrow(reused);
});
