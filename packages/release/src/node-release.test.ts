/** What lies on a node is read in pieces up to a limit, from the place that was asked, and each place counts for itself. */
import { expect, test } from "vitest";
import { newerOnNode, NodeRelease, type NodePlace } from "./node-release.ts";

/** Pieces of two bytes, as a tunnel has some tens of thousands. */
const nodeWith = (files: Partial<Record<NodePlace, string>>) => ({
  readUpdate: async (place: NodePlace, _path: string, offset: number) => {
    const file = files[place];
    const piece = Buffer.from(file?.slice(offset, offset + 2) ?? "");
    return { bytes: file?.length ?? null, piece };
  },
});

test("a file is read up to its limit, and refused one past it", async () => {
  const release = new NodeRelease(nodeWith({ given: "12345" }), "given");
  expect(String(await release.read("file", 5))).toBe("12345");
  await expect(release.read("file", 4)).rejects.toMatchObject({
    name: "ReleaseError",
    code: "ERR_TOO_LARGE",
  });
});

test("a node that sends more than it announced is stopped at the limit", async () => {
  const endless = { readUpdate: async () => ({ bytes: 4, piece: Buffer.alloc(3) }) };
  const release = new NodeRelease(endless, "given");
  expect(await release.read("file", 6)).toHaveLength(6);
  await expect(release.read("file", 5)).rejects.toMatchObject({ code: "ERR_TOO_LARGE" });
});

test("only the places that were asked for are read, in that order", async () => {
  const session = nodeWith({ fetched: "new", given: "old" });
  const read = async (...places: [NodePlace, ...NodePlace[]]) =>
    String(await new NodeRelease(session, ...places).read("file", 9));
  expect(await read("given")).toBe("old");
  expect(await read("fetched", "given")).toBe("new");
  const onlyGiven = nodeWith({ given: "old" });
  expect(await new NodeRelease(onlyGiven, "fetched").read("file", 9)).toBeUndefined();
  expect(String(await new NodeRelease(onlyGiven, "fetched", "given").read("file", 9))).toBe("old");
});

test("all that is newer than what runs is looked at, the newest first, in each place that has it", () => {
  const held = (version: string, sha256: string) => ({ version, sha256 });
  const [running, next, higher] = [held("1.0.0", "a"), held("1.1.0", "b"), held("1.10.0", "c")];
  const fetched = [running, next];
  const given = [next, higher];
  expect(newerOnNode({ version: "1.0.0", fetched, given })).toEqual([
    { ...higher, place: "given" },
    { ...next, place: "fetched" },
    { ...next, place: "given" },
  ]);
});
