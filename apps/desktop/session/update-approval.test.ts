/** A release with its quorum, approved in the console: a build that trusts throw-away engineers, and a played node. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { updateApprovalDocument } from "@phantoma/crypto";
import { MAX_TIMESTAMP_BYTES, ReleaseFolder, type Anchor } from "@phantoma/release";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { RELEASE_NAME, ReleaseUnderTest } from "../../../tests/release-under-test.ts";
import { pairedConsole } from "./console-under-test.ts";
import { NODE_KEY } from "./fake-node.ts";
import { NodeBook } from "./node-book.ts";

const trusted = vi.hoisted(() => ({ anchor: undefined as Anchor | undefined }));
vi.mock("@phantoma/release", async (original) => ({
  ...(await original<typeof import("@phantoma/release")>()),
  chooseAnchor: () => trusted.anchor,
}));

let made: ReleaseUnderTest;
beforeAll(async () => {
  made = await new ReleaseUnderTest().make();
  trusted.anchor = made.anchor;
});
afterAll(() => rmSync(made.dir, { recursive: true }));

function unsignedTimestamp(): Buffer {
  const file = JSON.parse(readFileSync(join(made.repository, "metadata/timestamp.json"), "utf8"));
  return Buffer.from(JSON.stringify({ ...file, signatures: [] }));
}

test("an approval trusts what the session was certified with, not what the node says runs", async () => {
  const { session, node: played } = await pairedConsole();
  const { sha256, length: bytes } = made.files.find(({ name }) => name === RELEASE_NAME)!;
  const folder = new ReleaseFolder(made.repository);
  played.readUpdateFile = (_place, path) => folder.read(path, 10_000_000);
  const certified = "0c".repeat(32);
  played.release = certified;
  const said = { name: RELEASE_NAME, version: "1.0.0", sha256, bytes };
  played.update = { ...played.update, release: "ee".repeat(32), fetched: [said] };
  const taken = vi.spyOn(NodeBook.prototype, "takesRelease");
  await session.requests["updates.approve"]({ node: NODE_KEY, sha256 });
  expect(taken).toHaveBeenCalledWith(NODE_KEY, { release: certified, approvedRelease: sha256 });
  const approval = updateApprovalDocument.open(played.orders[0]!, ({ signer }) => signer);
  expect(Buffer.from(approval.release).toString("hex")).toBe(sha256);
});

test("a bundle of a higher version that nobody signed does not hide the one that was", async () => {
  const { session, node: played } = await pairedConsole();
  const { sha256, length: bytes } = made.files.find(({ name }) => name === RELEASE_NAME)!;
  const folder = new ReleaseFolder(made.repository);
  played.readUpdateFile = (_place, path) => folder.read(path, 10_000_000);
  const signed = { name: RELEASE_NAME, version: "1.0.0", sha256, bytes };
  const higher = { ...signed, name: RELEASE_NAME.replace("1.0.0", "9.9.9"), version: "9.9.9" };
  // One that nobody signed, one that has the name of what was signed, and what was signed under another name.
  const given = [
    { ...higher, sha256: "0e".repeat(32) },
    { ...signed, sha256: "0f".repeat(32) },
    higher,
  ];
  played.update = { ...played.update, fetched: [signed], given };
  const shown = async () => (await session.requests["updates.read"]({ node: NODE_KEY })).waiting;
  expect(await shown()).toMatchObject({ version: "1.0.0", sha256, refusal: null });
  await session.requests["updates.approve"]({ node: NODE_KEY, sha256 });
  expect(played.orders).toHaveLength(1);
  played.update = { ...played.update, fetched: [], given };
  expect(await shown()).toMatchObject({
    version: "9.9.9",
    refusal: { code: "ERR_UNKNOWN_TARGET" },
  });
});

test.each([
  ["is signed by nobody", unsignedTimestamp, "ERR_QUORUM"],
  ["is longer than any", () => Buffer.alloc(MAX_TIMESTAMP_BYTES + 1), "ERR_TOO_LARGE"],
])("a timestamp that was fetched and %s hides no release that was pushed", async (_, bad, code) => {
  const { session, node: played } = await pairedConsole();
  const { sha256, length: bytes } = made.files.find(({ name }) => name === RELEASE_NAME)!;
  const folder = new ReleaseFolder(made.repository);
  played.readUpdateFile = async (place, path) =>
    place === "given"
      ? folder.read(path, 10_000_000)
      : path === "metadata/timestamp.json"
        ? bad()
        : undefined;
  const signed = { name: RELEASE_NAME, version: "1.0.0", sha256, bytes };
  const higher = { ...signed, name: RELEASE_NAME.replace("1.0.0", "9.9.9"), version: "9.9.9" };
  played.update = { ...played.update, fetched: [higher, signed], given: [signed] };
  const shown = async () => (await session.requests["updates.read"]({ node: NODE_KEY })).waiting;
  expect(await shown()).toMatchObject({ version: "1.0.0", sha256, refusal: null });
  await session.requests["updates.approve"]({ node: NODE_KEY, sha256 });
  expect(played.orders).toHaveLength(1);
  played.update = { ...played.update, given: [] };
  expect(await shown()).toMatchObject({ version: "9.9.9", refusal: { code } });
});
