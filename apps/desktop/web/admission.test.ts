import { expect, test } from "vitest";
import { Admission } from "./admission.ts";

const MINUTE = 60_000;

function entered() {
  const admission = new Admission(1234);
  const token = new URL(admission.newLink()).searchParams.get("token");
  const cookie = admission.redeem(token, 0)!.split(";")[0]!;
  return { admission, token, cookie };
}

test("a link that is used twice at once shuts both users out", () => {
  const { admission, token, cookie } = entered();
  expect(admission.hasCookie({ cookie })).toBe(true);
  expect(admission.redeem(token, MINUTE - 1)).toBeUndefined();
  expect(admission.hasCookie({ cookie })).toBe(false);
});

test("a link from the browser's history opens nothing and disturbs nobody", () => {
  const { admission, token, cookie } = entered();
  expect(admission.redeem(token, MINUTE)).toBeUndefined();
  expect(admission.hasCookie({ cookie })).toBe(true);
});

test("a cookie is found among others, and only under its own name", () => {
  const { admission, cookie } = entered();
  expect(admission.hasCookie({ cookie: `a=b; ${cookie}; c=d` })).toBe(true);
  expect(admission.hasCookie({ cookie: `x${cookie}` })).toBe(false);
  expect(admission.hasCookie({ cookie: `${cookie}0` })).toBe(false);
  expect(admission.hasCookie({ cookie: "phantoma=" })).toBe(false);
  expect(admission.hasCookie({})).toBe(false);
});

test("two consoles have neither path nor cookie in common", () => {
  const one = entered();
  const two = entered();
  expect(one.admission.path).not.toBe(two.admission.path);
  expect(two.admission.hasCookie({ cookie: one.cookie })).toBe(false);
});
