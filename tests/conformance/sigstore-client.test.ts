/** The client of Sigstore's conformance suite, driven as the suite does, with a Sigstore of the tests' own. */
import { createHash } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { PrivateSigstore } from "../../tools/release/development/private-sigstore.ts";
import { DEVELOPMENT_POLICY, identityOf } from "../../tools/release/development/team.ts";
import { runClient } from "./run-client.ts";

const dir = mkdtempSync(join(tmpdir(), "sigstore-"));
const identity = identityOf(DEVELOPMENT_POLICY, "1.0.0");
const sha256 = createHash("sha256").update("a file").digest("hex");
const path = (name: string) => join(dir, name);

beforeAll(() => {
  const sigstore = new PrivateSigstore(Date.now());
  const other = new PrivateSigstore(Date.now());
  const bundle = sigstore.attest({ name: "file.txt", sha256, identity });
  const files = {
    "file.txt": "a file",
    "other.txt": "another file",
    "root.json": JSON.stringify(sigstore.trustedRoot),
    "other-root.json": JSON.stringify(other.trustedRoot),
    "bundle.json": JSON.stringify(bundle),
    "signed-file.json": JSON.stringify({
      ...bundle,
      dsseEnvelope: undefined,
      messageSignature: {},
    }),
    "tampered.json": JSON.stringify(bundle).replace(/"payload":"e/, '"payload":"f'),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(path(name), text);
});

interface Asked {
  readonly bundle?: string;
  readonly subject?: string;
  readonly issuer?: string;
  readonly root?: string;
  readonly file?: string;
}

function verify({
  bundle = "bundle.json",
  subject = identity.subject,
  issuer = identity.issuer,
  root = "root.json",
  file = path("file.txt"),
}: Asked = {}) {
  return runClient("sigstore-client.ts", [
    "verify-bundle",
    `--bundle=${path(bundle)}`,
    `--certificate-identity=${subject}`,
    `--certificate-oidc-issuer=${issuer}`,
    `--trusted-root=${path(root)}`,
    file,
  ]);
}

test("a statement about a file holds for the file and for its digest", async () => {
  expect(await verify()).toMatchObject({ exitCode: 0, words: "" });
  expect(await verify({ file: `sha256:${sha256}` })).toMatchObject({ exitCode: 0, words: "" });
});

test.each<readonly [string, string, () => Asked]>([
  ["it is about another file", "not about this file", () => ({ file: path("other.txt") })],
  [
    "it is about another digest",
    "not about this file",
    () => ({ file: `sha256:${"0".repeat(64)}` }),
  ],
  [
    "its signer's name only contains the wanted one",
    "was not made by",
    () => ({ subject: identity.subject.slice(8, -3) }),
  ],
  [
    "the wanted name is a pattern that matches it",
    "was not made by",
    () => ({ subject: `^${identity.subject}$` }),
  ],
  ["another issuer vouched", "its issuer is not", () => ({ issuer: "https://other.invalid" })],
  ["another Sigstore vouched", "Sigstore:", () => ({ root: "other-root.json" })],
  ["it was changed", "Sigstore:", () => ({ bundle: "tampered.json" })],
])("refused: %s", async (_why, words, asked) => {
  const ended = await verify(asked());
  expect(ended).toMatchObject({ exitCode: 1 });
  expect(ended.words).toContain(words);
});

test("a bundle without a wanted identity is no command", async () => {
  const anybody = ["verify-bundle", "--bundle", path("bundle.json"), path("file.txt")];
  expect(await runClient("sigstore-client.ts", anybody)).toMatchObject({ exitCode: 2 });
  expect(await verify({ subject: "" })).toMatchObject({ exitCode: 1 });
  expect(await runClient("sigstore-client.ts", ["sign"])).toMatchObject({ exitCode: 2 });
});

test("what no release needs is refused with its reason", async () => {
  const who = ["--certificate-identity", "a", "--certificate-oidc-issuer", "b"];
  const bundle = ["--bundle", path("bundle.json")];
  const sign = ["sign-bundle", "--identity-token", "t", "--bundle", path("new.json")];
  const lines = [
    ["verify-bundle", ...bundle, "--key", path("root.json"), path("file.txt")],
    ["verify-bundle", "--staging", ...bundle, ...who, path("file.txt")],
    [...sign, "--signing-config", path("root.json"), path("file.txt")],
    ["sign-bundle", "--staging", ...sign.slice(1), path("file.txt")],
  ];
  for (const line of lines) {
    const ended = await runClient("sigstore-client.ts", line);
    expect(ended).toMatchObject({ exitCode: 3 });
    expect(ended.words).toMatch(/^sigstore-client: .+/);
  }
  const digest = { bundle: "signed-file.json", file: `sha256:${sha256}` };
  expect(await verify(digest)).toMatchObject({ exitCode: 3 });
});
