/** What is kept between turns: sealed for one place, overwritten when let go of, nothing without the key. */
import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SealedHistory } from "./sealed-history.ts";
import { SealedPayloads, type Label, type SealedPayload } from "./sealed-payloads.ts";

const failing = (code: string) => expect.objectContaining({ name: "CryptoError", code });
const LABEL: Label = { kind: "message", role: "user", index: 3 };

/** Every piece that was ever sealed, to look at what is left of it. */
class WatchedPayloads extends SealedPayloads {
  readonly seen: SealedPayload[] = [];

  override seal(label: Label, plaintext: Buffer): SealedPayload {
    const payload = super.seal(label, plaintext);
    this.seen.push(payload);
    return payload;
  }

  get left(): number {
    return this.seen.filter(({ sealed }) => sealed.some((byte) => byte !== 0)).length;
  }
}

describe("a payload", () => {
  test("opens as it was sealed, whatever its bytes are, and its plaintext was overwritten", () => {
    const payloads = new SealedPayloads();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => {
        const plaintext = Buffer.from(bytes);
        const payload = payloads.seal(LABEL, plaintext);
        expect(plaintext).toEqual(Buffer.alloc(bytes.length));
        expect(payloads.open(LABEL, payload)).toEqual(Buffer.from(bytes));
      }),
    );
  });

  test("is no plaintext, and never the same twice", () => {
    const payloads = new SealedPayloads();
    const [one, two] = [1, 2].map(() => payloads.seal(LABEL, Buffer.alloc(64, "canary")));
    expect(one!.sealed.includes("canary")).toBe(false);
    expect(one!.sealed).not.toEqual(two!.sealed);
    expect(one!.nonce).not.toEqual(two!.nonce);
  });

  test("with any one bit changed does not open, nor cut, nor made longer", () => {
    const payloads = new SealedPayloads();
    const { sealed, nonce } = payloads.seal(LABEL, Buffer.from("text"));
    const refuses = () =>
      expect(() => payloads.open(LABEL, { sealed, nonce })).toThrow(failing("ERR_STEP_REUSED"));
    refuses();
    const payload = payloads.seal(LABEL, Buffer.from("text"));
    for (const part of [payload.sealed, payload.nonce])
      for (let bit = 0; bit < 8 * part.length; bit += 1) {
        part[bit >> 3]! ^= 1 << (bit & 7);
        expect(() => payloads.open(LABEL, payload)).toThrow(failing("ERR_AUTHENTICATION"));
        part[bit >> 3]! ^= 1 << (bit & 7);
      }
    expect(payloads.open(LABEL, payload).toString()).toBe("text");
  });

  test.each<[string, Label]>([
    ["role", { kind: "message", role: "system", index: 3 }],
    ["place", { kind: "message", role: "user", index: 2 }],
    ["kind", { kind: "attachment", stream: 3 }],
  ])("does not open as one of another %s", (_what, other) => {
    const payloads = new SealedPayloads();
    const payload = payloads.seal(LABEL, Buffer.from("text"));
    expect(() => payloads.open(other, payload)).toThrow(failing("ERR_AUTHENTICATION"));
  });

  test("is zeros after it was shredded, and does not open", () => {
    const payloads = new SealedPayloads();
    const payload = payloads.seal(LABEL, randomBytes(100));
    payloads.shred(payload);
    expect(payload.sealed).toEqual(Buffer.alloc(116));
    expect(() => payloads.open(LABEL, payload)).toThrow(failing("ERR_STEP_REUSED"));
  });

  test("of another conversation does not open", () => {
    const payload = new SealedPayloads().seal(LABEL, Buffer.from("text"));
    expect(() => new SealedPayloads().open(LABEL, payload)).toThrow(failing("ERR_STEP_REUSED"));
  });
});

test("after the key was erased nothing opens, nothing is left, and nothing can be sealed", () => {
  const payloads = new WatchedPayloads();
  const payload = payloads.seal(LABEL, Buffer.from("text"));
  const copy = Buffer.from(payload.sealed);
  payloads.erase();
  payloads.erase();
  expect(payloads.left).toBe(0);
  copy.copy(payload.sealed);
  expect(() => payloads.open(LABEL, payload)).toThrow(failing("ERR_STEP_REUSED"));
  const late = Buffer.from("late");
  expect(() => payloads.seal(LABEL, late)).toThrow(failing("ERR_STEP_REUSED"));
  expect(late).toEqual(Buffer.alloc(4));
});

describe("a history", () => {
  const said = (history: SealedHistory) =>
    history.open().map(({ role, text }) => `${role}: ${text}`);
  const text = (words: string) => Buffer.from(words);

  function talked(): { payloads: WatchedPayloads; history: SealedHistory } {
    const payloads = new WatchedPayloads();
    const history = new SealedHistory(payloads);
    history.add("system", text("Be kind. ✓"));
    history.begin(undefined, text("One"));
    history.answered(text("Hello"));
    return { payloads, history };
  }

  test("is what was said, in order", () => {
    const { payloads, history } = talked();
    expect(said(history)).toEqual(["system: Be kind. ✓", "user: One", "assistant: Hello"]);
    expect(payloads.left).toBe(3);
  });

  test("shreds what a turn did not keep, once that was answered", () => {
    const { payloads, history } = talked();
    history.begin(1, text("Other"));
    expect(payloads.left).toBe(4);
    history.answered(text("Hi"));
    expect(said(history)).toEqual(["system: Be kind. ✓", "user: Other", "assistant: Hi"]);
    expect([payloads.seen.length, payloads.left]).toEqual([5, 3]);
  });

  test("is as before when a turn is taken back, and its message is shredded", () => {
    const { payloads, history } = talked();
    const before = said(history);
    history.begin(0, text("Other"));
    expect(said(history)).toEqual(["user: Other"]);
    history.takeBack();
    expect(said(history)).toEqual(before);
    expect([payloads.seen.length, payloads.left]).toEqual([4, 3]);
  });
});
