/** Every way of this package to fail: with a code, and without a byte of any secret. */
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { documentKinds } from "../vectors/document-kinds.ts";
import { digest } from "../vectors/document-values.ts";
import {
  deviceAwaiting2,
  message1,
  message2,
  workerAwaiting3,
} from "../vectors/fixed-handshake.ts";
import { CryptoError, type CryptoErrorCode } from "./crypto-error.ts";
import { openFirstDeviceList } from "./documents/device-list.ts";
import { importDeviceIdentity } from "./identity.ts";
import { CipherState } from "./noise/cipher-state.ts";
import { openBytes, sealBytes } from "./sealed.ts";
import { Secret } from "./secret.ts";
import { x25519, x25519FromPrivate } from "./x25519.ts";

const secret = digest("secret", 32);
const prompt = Buffer.from("what nobody may read");
const key = new Secret(Buffer.from(secret));
const sealed = sealBytes(key, prompt, Buffer.concat([prompt, Buffer.alloc(70_000)]));
const erased = new Secret(Buffer.from(secret));
erased.erase();

const failures: readonly { code: CryptoErrorCode; name: string; action: () => unknown }[] = [
  {
    code: "ERR_LENGTH",
    name: "an identity of the wrong length",
    action: () => importDeviceIdentity(new Secret(Buffer.from(secret))),
  },
  {
    code: "ERR_LENGTH",
    name: "a message without room for a tag",
    action: () => new CipherState(secret).open(prompt.subarray(0, 15)),
  },
  {
    code: "ERR_AUTHENTICATION",
    name: "a forged message",
    action: () => new CipherState(secret).open(prompt),
  },
  {
    code: "ERR_AUTHENTICATION",
    name: "a forged handshake message",
    action: () => deviceAwaiting2().read(message1),
  },
  {
    code: "ERR_AUTHENTICATION",
    name: "sealed bytes for another use",
    action: () => openBytes(key, Buffer.alloc(0), sealed),
  },
  {
    code: "ERR_BAD_KEY",
    name: "a low-order key",
    action: () => x25519(x25519FromPrivate(secret).privateKey, Buffer.alloc(32)),
  },
  {
    code: "ERR_COUNTER_EXHAUSTED",
    name: "a counter at its end",
    action: () => new CipherState(secret, 2n ** 64n - 1n).seal(prompt),
  },
  { code: "ERR_STEP_REUSED", name: "a secret after its erasure", action: () => erased.expose() },
  {
    code: "ERR_STEP_REUSED",
    name: "a handshake step twice",
    action: () => {
      const step = workerAwaiting3();
      try {
        step.read(message2);
      } catch {
        step.read(message2);
      }
    },
  },
  {
    code: "ERR_DOCUMENT_TYPE",
    name: "another kind of document",
    action: () => documentKinds.ticket.open(Buffer.alloc(200), () => secret),
  },
  {
    code: "ERR_DOCUMENT_FIELD",
    name: "a field outside its layout",
    action: () =>
      documentKinds.ticket.open(
        Buffer.concat([Buffer.of(1, 1), secret, secret, Buffer.alloc(200, 9)]),
        () => secret,
      ),
  },
  {
    code: "ERR_NOT_AUTHORISED",
    name: "a device list that was not pinned",
    action: () => openFirstDeviceList(prompt, secret, secret),
  },
  {
    code: "ERR_TRUNCATED",
    name: "sealed bytes without their last chunk",
    action: () => openBytes(key, prompt, sealed.subarray(0, 80 + 65_552)),
  },
];

describe.each(failures)("$name", ({ code, action }) => {
  test(`fails with ${code} and says nothing secret`, () => {
    const error = failureOf(action);
    expect(error).toBeInstanceOf(CryptoError);
    expect(error).toMatchObject({ name: "CryptoError", code });
    const { stack: _, ...own } = error as CryptoError;
    const said = `${inspect(error, { showHidden: true })}${JSON.stringify(own)}${String(error)}`;
    for (const bytes of [secret, prompt])
      for (const form of [bytes.toString("hex"), bytes.toString("hex").match(/../g)!.join(" ")])
        expect(said).not.toContain(form.slice(0, 24));
    expect(said).not.toContain(prompt.toString());
  });
});

test("every code is shown above", () => {
  const shown: Record<CryptoErrorCode, true> = {
    ERR_LENGTH: true,
    ERR_AUTHENTICATION: true,
    ERR_BAD_KEY: true,
    ERR_COUNTER_EXHAUSTED: true,
    ERR_STEP_REUSED: true,
    ERR_DOCUMENT_TYPE: true,
    ERR_DOCUMENT_FIELD: true,
    ERR_NOT_AUTHORISED: true,
    ERR_TRUNCATED: true,
  };
  expect(new Set(failures.map(({ code }) => code))).toEqual(new Set(Object.keys(shown)));
});

function failureOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return "no failure";
}
