/** The client of TUF's conformance suite, driven as the suite does: a process, and a repository on loopback. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { keyId, parseMetadata } from "@phantoma/release";
import { Metadata, Root } from "@tufjs/models";
import { addSignature, fileBytes, newTargets } from "../../tools/release/new-metadata.ts";
import { makeKey } from "../../tools/release/signing-key.ts";
import { forge } from "../proofs/release/forge.ts";
import { RELEASE_NAME, ReleaseUnderTest } from "../release-under-test.ts";
import { runClient } from "./run-client.ts";

let release: ReleaseUnderTest;
let requests: string[] = [];
let metadataDir = "";
let targetDir = "";
const server = createServer((request, response) => {
  requests.push(request.url!);
  try {
    response.end(readFileSync(join(release.repository, request.url!)));
  } catch {
    response.writeHead(404).end();
  }
});
const address = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

beforeAll(async () => {
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
});
afterAll(() => void server.close());
beforeEach(async () => {
  release = await new ReleaseUnderTest().make();
  requests = [];
  metadataDir = mkdtempSync(join(tmpdir(), "tuf-metadata-"));
  targetDir = mkdtempSync(join(tmpdir(), "tuf-targets-"));
});

const init = (path = published("1.root.json")) =>
  runClient("tuf-client.ts", ["--metadata-dir", metadataDir, "init", path]);
const refresh = () => runClient("tuf-client.ts", [...repository(), "refresh"]);
const download = (...names: string[]) =>
  runClient("tuf-client.ts", [
    ...repository(),
    ...names.flatMap((name) => ["--target-name", name]),
    `--target-base-url=${address()}/targets`,
    `--target-dir=${targetDir}`,
    "download",
  ]);
const repository = () => [`--metadata-url=${address()}/metadata/`, `--metadata-dir=${metadataDir}`];
const published = (name: string) => join(release.repository, "metadata", name);

test("init asks nobody, and refresh keeps what was published, byte for byte", async () => {
  expect(await init()).toMatchObject({ exitCode: 0 });
  expect(requests).toEqual([]);
  expect(await refresh()).toMatchObject({ exitCode: 0 });
  expect(requests).toEqual([
    "/metadata/2.root.json",
    "/metadata/timestamp.json",
    "/metadata/1.snapshot.json",
    "/metadata/1.targets.json",
  ]);
  for (const [kept, name] of [
    ["timestamp.json", "timestamp.json"],
    ["snapshot.json", "1.snapshot.json"],
    ["targets.json", "1.targets.json"],
  ] as const)
    expect(readFileSync(join(metadataDir, kept))).toEqual(readFileSync(published(name)));
});

test("what was seen and is still the newest is not asked for again", async () => {
  await init();
  await refresh();
  requests = [];
  expect(await refresh()).toMatchObject({ exitCode: 0 });
  expect(requests).toEqual(["/metadata/2.root.json", "/metadata/timestamp.json"]);
});

test("a file is fetched once, and only as it was signed", async () => {
  await init();
  expect(await download(RELEASE_NAME)).toMatchObject({ exitCode: 0 });
  const [name] = readdirSync(targetDir);
  expect(readFileSync(join(targetDir, name!))).toEqual(readFileSync(release.filePath));
  const asked = () => requests.filter((path) => path.startsWith("/targets/")).length;
  expect(asked()).toBe(1);
  expect(await download(RELEASE_NAME)).toMatchObject({ exitCode: 0 });
  expect(asked()).toBe(1);
  rmSync(join(targetDir, name!));
  const { sha256 } = release.files.find((file) => file.name === RELEASE_NAME)!;
  for (const content of ["a bundlf", "a bundle and more"]) {
    writeFileSync(join(release.repository, "targets", `${sha256}.${RELEASE_NAME}`), content);
    expect(await download(RELEASE_NAME)).toMatchObject({ exitCode: 1 });
    expect(readdirSync(targetDir)).toEqual([]);
  }
});

test("the first of several files that nobody signed ends the command", async () => {
  await init();
  const ended = await download("nobody.txt", RELEASE_NAME);
  expect(ended).toMatchObject({ exitCode: 1 });
  expect(ended.words).toContain("nobody signed a file nobody.txt");
  expect(readdirSync(targetDir)).toEqual([]);
});

test("too few signatures are refused, and what was seen before stays", async () => {
  await init();
  await refresh();
  const seen = readFileSync(join(metadataDir, "targets.json"));
  forge(release.repository, release.ceremony, release.team, {
    signers: [release.team.engineers[0]!],
    madeAtMs: release.nowMs,
  });
  const ended = await refresh();
  expect(ended).toMatchObject({ exitCode: 1 });
  expect(ended.words).toContain("needed 2");
  expect(readFileSync(join(metadataDir, "targets.json"))).toEqual(seen);
});

test("a repository as it was before is refused", async () => {
  const old = readFileSync(published("timestamp.json"));
  release.sign(newTargets(2, release.files, release.nowMs));
  await init();
  expect(await refresh()).toMatchObject({ exitCode: 0 });
  writeFileSync(published("timestamp.json"), old);
  const ended = await refresh();
  expect(ended).toMatchObject({ exitCode: 1 });
  expect(ended.words).toContain("timestamp 1 is older than 2");
});

test("a timestamp that changed and kept its number is not taken in the place of the one that was seen", async () => {
  await init();
  await refresh();
  const seen = readFileSync(join(metadataDir, "timestamp.json"));
  const changed = parseMetadata("timestamp", seen);
  Object.assign(changed.signed.snapshotMeta, { version: 100 });
  changed.signatures = {};
  addSignature(changed, release.team.timestamp);
  writeFileSync(published("timestamp.json"), fileBytes(changed));
  expect(await refresh()).toMatchObject({ exitCode: 0 });
  expect(readFileSync(join(metadataDir, "timestamp.json"))).toEqual(seen);
  expect(requests).not.toContain("/metadata/100.snapshot.json");
});

test("one key under three true names is refused before anything is asked for", async () => {
  const ada = makeKey("Ada");
  const { signed } = parseMetadata("root", readFileSync(published("1.root.json")));
  const json = structuredClone(signed.toJSON()) as unknown as {
    keys: Record<string, object>;
    roles: Record<string, object>;
  };
  const ids = ["1", "2", "3"].map((x) => {
    const key = { keytype: "ed25519", scheme: "ed25519", keyval: { public: ada.public }, x };
    const id = keyId({ toJSON: () => key });
    json.keys[id] = key;
    return id;
  });
  json.roles["root"] = { keyids: ids, threshold: 3 };
  const root = new Metadata(Root.fromJSON(json as never));
  for (const keyid of ids) addSignature(root, { ...ada, keyid });
  const path = join(metadataDir, "forged.json");
  writeFileSync(path, fileBytes(root));
  await init(path);
  const ended = await refresh();
  expect(ended).toMatchObject({ exitCode: 1 });
  expect(ended.words).toContain("the same public key is listed twice");
  expect(requests).toEqual([]);
});

test("a server that is gone is a refusal, and another command line none", async () => {
  await init();
  const gone = ["--metadata-url", "http://127.0.0.1:9/", "--metadata-dir", metadataDir, "refresh"];
  expect(await runClient("tuf-client.ts", gone)).toMatchObject({ exitCode: 1 });
  for (const odd of [["publish"], ["refresh"], ["--quiet", "refresh"]])
    expect(await runClient("tuf-client.ts", odd)).toMatchObject({ exitCode: 2 });
});
