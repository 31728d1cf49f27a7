import { expect, test } from "vitest";
import { readBundleName } from "./bundle-name.ts";

test.each([
  ["phantoma-node-0.2.0-linux-x64.tar.gz", { version: "0.2.0", arch: "x64" }],
  ["phantoma-node-0.2.0-rc.1-linux-arm64.tar.gz", { version: "0.2.0-rc.1", arch: "arm64" }],
  [`phantoma-node-0.2.0-${"a".repeat(26)}-linux-x64.tar.gz`, { arch: "x64" }],
])("%s names a bundle", (name, said) => {
  expect(readBundleName(name)).toMatchObject(said);
});

test.each([
  "phantoma-node-0.2-linux-x64.tar.gz",
  "phantoma-node-00.2.0-linux-x64.tar.gz",
  "phantoma-node-0.2.0-linux-x86.tar.gz",
  "phantoma-node-0.2.0-linux-x64.tar.gz.sig",
  "phantoma-node-0.2.0-../a-linux-x64.tar.gz",
  `phantoma-node-0.2.0-${"a".repeat(27)}-linux-x64.tar.gz`,
])("%s names none", (name) => {
  expect(readBundleName(name)).toBeUndefined();
});
