/** Which release the terminal finds on a node, whatever lies beside it: a real one, made by throw-away engineers. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Update } from "@phantoma/client";
import { MAX_TIMESTAMP_BYTES, ReleaseFolder, type NodePlace } from "@phantoma/release";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RELEASE_NAME, ReleaseUnderTest } from "../../../tests/release-under-test.ts";
import { Home } from "../home.ts";
import { verifyRunning, verifyWaiting } from "./update.ts";

type Read = (path: string) => Promise<Buffer | undefined>;

let made: ReleaseUnderTest;
let whole: Read;
beforeAll(async () => {
  made = await new ReleaseUnderTest().make();
  const folder = new ReleaseFolder(made.repository);
  whole = (path) => folder.read(path, 10_000_000);
});
afterAll(() => rmSync(made.dir, { recursive: true }));

/** A node whose two places have these files, and a machine that has seen nothing before. */
function at(places: Record<NodePlace, Read>) {
  return {
    home: new Home(mkdtempSync(join(made.dir, "home-"))),
    values: { anchor: join(made.ceremony.dir, "anchor.json") },
    session: {
      readUpdate: async (place: NodePlace, path: string, offset: number) => {
        const file = await places[place](path);
        return { bytes: file?.length ?? null, piece: file?.subarray(offset) ?? Buffer.alloc(0) };
      },
    },
  };
}

function unsignedTimestamp(): Buffer {
  const file = JSON.parse(readFileSync(join(made.repository, "metadata/timestamp.json"), "utf8"));
  return Buffer.from(JSON.stringify({ ...file, signatures: [] }));
}

const onlyTimestamp =
  (bad: () => Buffer): Read =>
  async (path) =>
    path === "metadata/timestamp.json" ? bad() : undefined;

test.each([
  ["is signed by nobody", unsignedTimestamp, "ERR_QUORUM"],
  ["is longer than any", () => Buffer.alloc(MAX_TIMESTAMP_BYTES + 1), "ERR_TOO_LARGE"],
])("a timestamp that was fetched and %s hides no release that was pushed", async (_, bad, code) => {
  const { sha256, length: bytes } = made.files.find(({ name }) => name === RELEASE_NAME)!;
  const signed = { name: RELEASE_NAME, version: "1.0.0", sha256, bytes };
  const higher = { ...signed, name: RELEASE_NAME.replace("1.0.0", "9.9.9"), version: "9.9.9" };
  const state = {
    version: "0.1.0",
    fetched: [higher, signed],
    given: [signed],
  } as unknown as Update;
  const node = at({ fetched: onlyTimestamp(bad), given: whole });
  expect((await verifyWaiting(node, state))?.record.sha256).toBe(sha256);
  await expect(verifyWaiting(node, { ...state, given: [] })).rejects.toMatchObject({ code });
});

test("what runs is known by what the installer was given, and by what was fetched since where that is stale", async () => {
  const bad = onlyTimestamp(unsignedTimestamp);
  const spoiled: Read = async (path) => (await bad(path)) ?? whole(path);
  const none: Read = async () => undefined;
  const listsOnly: Read = async (path) => (path.startsWith("metadata/") ? whole(path) : undefined);
  const version = async (fetched: Read, given: Read) =>
    (await verifyRunning(at({ fetched, given }), RELEASE_NAME)).record.version;
  expect(await version(none, whole)).toBe("1.0.0");
  expect(await version(bad, whole)).toBe("1.0.0");
  expect(await version(listsOnly, spoiled)).toBe("1.0.0");
  await expect(version(bad, spoiled)).rejects.toMatchObject({ name: "ReleaseError" });
});
