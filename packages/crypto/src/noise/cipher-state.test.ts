/** One direction: nonce layout, counter, rekey, and what a gateway can do to its messages. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { gcm, rekeyed } from "../../vectors/straight-line-xxhfs.ts";
import { CipherState } from "./cipher-state.ts";

const key = Buffer.from("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "hex");
const nothing = new Uint8Array(0);
const coded = (code: string) => expect.objectContaining({ name: "CryptoError", code });
const text = (value: string) => Buffer.from(value);

describe("the nonce", () => {
  test.each([0n, 1n, 255n, 256n, 2n ** 32n, 2n ** 40n + 7n, 2n ** 64n - 2n])(
    "of message %d is 32 zero bits and the counter, big-endian",
    (counter) => {
      const sealed = gcm(key, counter, text("header"), text("message"));
      expect(new CipherState(key, counter).seal(text("message"), text("header"))).toEqual(sealed);
      const opened = new CipherState(key, counter).open(sealed, text("header"));
      expect(opened.toString()).toBe("message");
    },
  );

  test("a fixed value, made with @noble/ciphers, so that code and oracle cannot drift together", () => {
    const sealed = new CipherState(key, 0x0102030405060708n).seal(text("Phantoma"), text("ad"));
    expect(sealed.toString("hex")).toBe("54390460a98e64ffa8524e9e4b08988674508ea2672dbec6");
  });
});

describe("the counter", () => {
  test("counts what was sealed and opened", () => {
    const [sender, receiver] = [new CipherState(key), new CipherState(key)];
    for (let message = 0n; message < 3n; message += 1n) {
      expect([sender.counter, receiver.counter]).toEqual([message, message]);
      receiver.open(sender.seal(text("message")));
    }
  });

  test("at 2^64 - 2 seals once more, then never again", () => {
    const sender = new CipherState(key, 2n ** 64n - 2n);
    expect(sender.seal(text("last"))).toHaveLength(20);
    expect(() => sender.seal(text("one more"))).toThrow(coded("ERR_COUNTER_EXHAUSTED"));
    expect(() => sender.seal(text("one more"))).toThrow(coded("ERR_COUNTER_EXHAUSTED"));
  });

  test("at 2^64 - 2 opens once more, then never again", () => {
    const receiver = new CipherState(key, 2n ** 64n - 2n);
    expect(receiver.open(gcm(key, 2n ** 64n - 2n, nothing, text("last"))).toString()).toBe("last");
    const beyond = gcm(key, 2n ** 64n - 1n, nothing, text("one more"));
    expect(() => receiver.open(beyond)).toThrow(coded("ERR_COUNTER_EXHAUSTED"));
  });

  test("is not moved by a forged message", () => {
    const [sender, receiver] = [new CipherState(key), new CipherState(key)];
    const sealed = sender.seal(text("message"));
    const forged = Buffer.from(sealed);
    forged[0]! ^= 1;
    expect(() => receiver.open(forged)).toThrow(coded("ERR_AUTHENTICATION"));
    expect(() => receiver.open(Buffer.alloc(15))).toThrow(coded("ERR_LENGTH"));
    expect(receiver.counter).toBe(0n);
    expect(receiver.open(sealed).toString()).toBe("message");
  });
});

describe("rekey", () => {
  test("takes the first 32 bytes of 32 zeros sealed under the last nonce, and counts on", () => {
    const state = new CipherState(key, 5n);
    state.rekey();
    expect(state.counter).toBe(5n);
    expect(state.seal(text("message"))).toEqual(gcm(rekeyed(key), 5n, nothing, text("message")));
    state.rekey();
    expect(state.seal(text("message"))).toEqual(
      gcm(rekeyed(rekeyed(key)), 6n, nothing, text("message")),
    );
  });

  test("a fixed value, made with @noble/ciphers", () => {
    const state = new CipherState(key);
    state.rekey();
    expect(state.seal(nothing).toString("hex")).toBe("0a55ff2fbe56435a0285049024fbee4c");
  });

  test("on one end only is noticed at the next message", () => {
    const [sender, receiver] = [new CipherState(key), new CipherState(key)];
    sender.rekey();
    expect(() => receiver.open(sender.seal(text("message")))).toThrow(coded("ERR_AUTHENTICATION"));
  });
});

describe("what a gateway can do", () => {
  const messages = ["first", "second", "third"].map(text);
  const sealAll = () => {
    const sender = new CipherState(key);
    return messages.map((message) => sender.seal(message));
  };

  test("swap two messages: refused", () => {
    const receiver = new CipherState(key);
    expect(() => receiver.open(sealAll()[1]!)).toThrow(coded("ERR_AUTHENTICATION"));
  });

  test("drop one: the next is refused", () => {
    const receiver = new CipherState(key);
    const [first, , third] = sealAll();
    receiver.open(first!);
    expect(() => receiver.open(third!)).toThrow(coded("ERR_AUTHENTICATION"));
  });

  test("repeat one: the second time is refused, and the one that is due still opens", () => {
    const receiver = new CipherState(key);
    const [first, second] = sealAll();
    receiver.open(first!);
    expect(() => receiver.open(first!)).toThrow(coded("ERR_AUTHENTICATION"));
    expect(receiver.open(second!).toString()).toBe("second");
  });

  test("cut or lengthen a message: refused at every length", () => {
    const sealed = sealAll()[0]!;
    for (let length = 0; length < sealed.length; length += 1)
      expect(() => new CipherState(key).open(sealed.subarray(0, length))).toThrow(
        coded(length < 16 ? "ERR_LENGTH" : "ERR_AUTHENTICATION"),
      );
    const longer = Buffer.concat([sealed, Buffer.of(0)]);
    expect(() => new CipherState(key).open(longer)).toThrow(coded("ERR_AUTHENTICATION"));
  });

  test("flip any bit: refused", () => {
    const sealed = sealAll()[0]!;
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const forged = Buffer.from(sealed);
      forged[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => new CipherState(key).open(forged)).toThrow(coded("ERR_AUTHENTICATION"));
    }
  });

  test.each([4, 8, 12, 13, 14, 15])("shorten the tag to %d bytes: refused", (tagBytes) => {
    for (const message of [nothing, text("message")]) {
      const sealed = gcm(key, 0n, nothing, message);
      const short = sealed.subarray(0, message.length + tagBytes);
      const code = short.length < 16 ? "ERR_LENGTH" : "ERR_AUTHENTICATION";
      expect(() => new CipherState(key).open(short)).toThrow(coded(code));
    }
  });
});

test("associated data is bound: other, missing or added, the message is refused", () => {
  const bound = gcm(key, 0n, text("header"), text("message"));
  const unbound = gcm(key, 0n, nothing, text("message"));
  for (const other of [text("headeR"), text("heade"), text("header\0"), nothing])
    expect(() => new CipherState(key).open(bound, other)).toThrow(coded("ERR_AUTHENTICATION"));
  expect(() => new CipherState(key).open(unbound, text("header"))).toThrow(
    coded("ERR_AUTHENTICATION"),
  );
});

test("every message comes back as it was, and random bytes never open", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.uint8Array(), (message, ad) => {
      const [sender, receiver] = [new CipherState(key), new CipherState(key)];
      expect(new Uint8Array(receiver.open(sender.seal(message, ad), ad))).toEqual(message);
      expect(() => new CipherState(key).open(message, ad)).toThrow(
        coded(message.length < 16 ? "ERR_LENGTH" : "ERR_AUTHENTICATION"),
      );
    }),
  );
});

test("the caller may erase the key it gave, and an erased cipher does nothing more", () => {
  const given = Buffer.from(key);
  const state = new CipherState(given);
  given.fill(0);
  expect(state.seal(text("message"))).toEqual(gcm(key, 0n, nothing, text("message")));
  state.erase();
  expect(() => state.seal(nothing)).toThrow(coded("ERR_STEP_REUSED"));
  expect(() => state.open(Buffer.alloc(16))).toThrow(coded("ERR_STEP_REUSED"));
  expect(() => state.rekey()).toThrow(coded("ERR_STEP_REUSED"));
});
