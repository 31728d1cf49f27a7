import fc from "fast-check";
import { expect, test } from "vitest";
import { addressOf, parseRoute, type Route } from "./routes.ts";

const routes: Route[] = [
  { page: "home" },
  { page: "new" },
  { page: "node" },
  { page: "models" },
  { page: "egress" },
  { page: "health" },
  { page: "devices" },
  { page: "receipts" },
  { page: "settings" },
  { page: "chat", conversation: "0123456789abcdef" },
];

test.each(routes)("$page is found again under its address", (route) => {
  expect(parseRoute(addressOf(route))).toEqual(route);
});

test("any fragment leads to a page", () => {
  fc.assert(fc.property(fc.string(), (text) => parseRoute(text).page.length > 0));
});
