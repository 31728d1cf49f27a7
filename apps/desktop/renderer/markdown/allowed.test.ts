import { expect, test } from "vitest";
import { allowedElements, openableAddress } from "./allowed.ts";

test.each(["https://example.org/a?b=c", "http://example.org", "mailto:a@example.org"])(
  "a person may be asked about %s",
  (address) => {
    expect(openableAddress(address)?.href).toContain("example.org");
  },
);

test.each([
  undefined,
  "",
  "/relative",
  "#here",
  "//example.org/x",
  "javascript:alert(1)",
  "data:text/html,x",
  "file:///etc/passwd",
  "blob:https://example.org/1",
  "smb://example.org/x",
  "ms-msdt:/id",
  "https://name@example.org/",
  "https://name:word@example.org/",
  `https://example.org/${"a".repeat(3_000)}`,
])("an answer's address %s stays text", (address) => {
  expect(openableAddress(address)).toBeUndefined();
});

test.each(["script", "style", "iframe", "svg", "object", "embed", "link", "video", "form", "base"])(
  "no %s on the list of what an answer may become",
  (element) => {
    expect(allowedElements).not.toContain(element);
  },
);
