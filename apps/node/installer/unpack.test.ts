import { createHash } from "node:crypto";
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeEach, expect, test } from "vitest";
import { Disk } from "./disk.ts";
import { checkTree, MAX_FILES, parseManifest, type Manifest } from "./manifest.ts";
import { unpack } from "./unpack.ts";

let dir = "";
let bundlePath = "";
beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), "unpack-")), "stage");
  bundlePath = `${dir}.tar.gz`;
});

interface Odd {
  readonly name?: string;
  readonly type?: string;
  readonly mode?: string;
  readonly uid?: string;
  readonly magic?: string;
  readonly link?: string;
}

const CONTENT = { "bin/tool": "#!/bin/sh\n", "words/a.txt": "words" };

test("a bundle becomes what its manifest lists, with the modes of a release under any mask", async () => {
  const before = process.umask(0o077);
  try {
    expect((await unpackFiles()).version).toBe("1.2.3");
  } finally {
    process.umask(before);
  }
  expect(readFileSync(join(dir, "words/a.txt"), "utf8")).toBe("words");
  expect(statSync(join(dir, "bin/tool")).mode & 0o7777).toBe(0o755);
  expect(statSync(join(dir, "words/a.txt")).mode & 0o7777).toBe(0o644);
  expect(statSync(join(dir, "words")).mode & 0o7777).toBe(0o755);
});

test.each<readonly [string, Odd]>([
  ["a symbolic link", { type: "2", link: "/etc/passwd" }],
  ["a hard link", { type: "1", link: "/etc/passwd" }],
  ["a folder", { type: "5" }],
  ["a device", { type: "3" }],
  ["a pipe", { type: "6" }],
  ["a header of an extension", { type: "x" }],
  ["a long name of another dialect", { type: "L" }],
  ["a file with a link's target", { link: "x" }],
  ["a name that climbs out", { name: "../words" }],
  ["a name that climbs out on the way", { name: "words/../../a.txt" }],
  ["a name from the root", { name: "/etc/words" }],
  ["a hidden name", { name: "words/.a.txt" }],
  ["a name with two strokes", { name: "words//a.txt" }],
  ["a name with a control character", { name: "words/a\u001b.txt" }],
  ["a mode that gives root's rights", { mode: "0004755" }],
  ["a mode that lets others write", { mode: "0000666" }],
  ["an owner", { uid: "0001750" }],
  ["another magic", { magic: "ustar  \0" }],
  ["a signed number", { uid: "-000001" }],
])("%s is refused, and nothing is made of it", async (_name, odd) => {
  await expect(unpackFiles({ odd })).rejects.toMatchObject({ code: "ERR_TAR" });
  expect(existsSync(join(dir, "words/a.txt"))).toBe(false);
});

test.each([
  ["a file that the manifest does not list", { extra: true }],
  ["a file that is longer than the manifest says", { claim: { size: 4 } }],
  ["a file with another digest", { claim: { sha256: "0".repeat(64) } }],
  ["a manifest that lists more than there is", { isShort: true }],
])("%s is refused", async (_name, how) => {
  await expect(unpackFiles(how)).rejects.toMatchObject({ code: "ERR_TREE" });
});

test("an archive that is cut, or goes on after its end, is refused", async () => {
  const { archive } = bundleOf({});
  for (const bytes of [
    archive.subarray(0, -512),
    archive.subarray(0, 700),
    Buffer.concat([archive, Buffer.alloc(512)]),
  ]) {
    writeFileSync(bundlePath, gzipSync(bytes));
    const fresh = join(mkdtempSync(join(tmpdir(), "unpack-")), "stage");
    await expect(unpack(new Disk(), bundlePath, fresh)).rejects.toMatchObject({ code: "ERR_TAR" });
  }
  writeFileSync(bundlePath, gzipSync(archive).subarray(0, -9));
  await expect(unpack(new Disk(), bundlePath, dir)).rejects.toMatchObject({ code: "ERR_TAR" });
});

test.each([
  ["x64", "arm64"],
  ["arm64", "x64"],
])("on %s a bundle for %s is not unpacked, and one of its own is", async (own, other) => {
  writeFileSync(bundlePath, gzipSync(bundleOf({ arch: other }).archive));
  await expect(unpack(new Disk(), bundlePath, dir, own)).rejects.toMatchObject({
    code: "ERR_PLATFORM",
  });
  expect(existsSync(join(dir, "manifest.json"))).toBe(false);
  writeFileSync(bundlePath, gzipSync(bundleOf({ arch: own }).archive));
  expect((await unpack(new Disk(), bundlePath, dir, own)).arch).toBe(own);
});

test("a manifest may say that nobody ran it, and nothing else about that", () => {
  const head = { product: "phantoma-node", version: "1.2.3", platform: "linux", arch: "arm64" };
  const files = [{ path: "a", size: 1, sha256: "0".repeat(64), isExecutable: false }];
  const parse = (untested: unknown) =>
    parseManifest(JSON.stringify({ ...head, untested, commit: null, files }));
  expect(parse(true).untested).toBe(true);
  expect(() => parse(false)).toThrow("list of its files");
});

test("a link in the place of a file is not followed", async () => {
  const target = `${dir}-target`;
  const disk = new Disk();
  disk.makeDir(dir);
  symlinkSync(target, join(dir, "file"));
  await expect(disk.writeNew(join(dir, "file"), [Buffer.from("x")], 0o644)).rejects.toThrow(
    "EEXIST",
  );
  expect(existsSync(target)).toBe(false);
});

test("an installed tree shows a changed, a missing and an added file", async () => {
  const manifest = await unpackFiles();
  writeFileSync(join(dir, "words/b.txt"), "");
  await expect(checkTree(dir, manifest)).rejects.toThrow("words/b.txt");
  const short = {
    ...manifest,
    files: [...manifest.files, { ...manifest.files[0]!, path: "gone" }],
  };
  const again = join(mkdtempSync(join(tmpdir(), "unpack-")), "stage");
  await unpack(new Disk(), bundlePath, again);
  await expect(checkTree(again, short)).rejects.toThrow("gone");
  writeFileSync(join(again, "words/a.txt"), "wordz");
  await expect(checkTree(again, manifest)).rejects.toThrow("words/a.txt");
});

test("a manifest has at most 4096 files, each once, and one version", () => {
  const file = { path: "a", size: 1, sha256: "0".repeat(64), isExecutable: false };
  const base = {
    product: "phantoma-node",
    version: "1.2.3",
    platform: "linux",
    arch: "x64",
    commit: null,
  };
  const parse = (change: object) =>
    parseManifest(JSON.stringify({ ...base, files: [file], ...change }));
  const many = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ ...file, path: `a${i}` }));
  expect(parse({ files: many(MAX_FILES) }).files).toHaveLength(4096);
  expect(() => parse({ files: many(MAX_FILES + 1) })).toThrow("list of its files");
  expect(() => parse({ files: [file, file] })).toThrow("list of its files");
  for (const version of ["1.2", "01.2.3", "1.2.3/..", "1.2.3-../..", "..", "1.2.3.4"])
    expect(() => parse({ version }), version).toThrow("list of its files");
  expect(() => parse({ more: 1 })).toThrow("list of its files");
});

test("nothing gets its final name before it is on the disk", async () => {
  const calls: string[] = [];
  const disk = new Disk((call, path) => calls.push(`${call} ${path.slice(dir.length + 1)}`));
  disk.makeDir(dir);
  await disk.replace(join(dir, "file"), "text");
  disk.relink(join(dir, "current"), "elsewhere");
  expect(calls.filter((call) => !call.startsWith("remove"))).toEqual([
    "make ",
    "create file.new",
    "write file.new",
    "flush file.new",
    "rename file",
    "flush ",
    "link current.new",
    "rename current",
    "flush ",
  ]);
});

interface How {
  readonly odd?: Odd;
  readonly extra?: boolean;
  readonly isShort?: boolean;
  readonly arch?: string;
  readonly claim?: Partial<Manifest["files"][number]>;
}

async function unpackFiles(how: How = {}): Promise<Manifest> {
  writeFileSync(bundlePath, gzipSync(bundleOf(how).archive));
  return unpack(new Disk(), bundlePath, dir);
}

function bundleOf({
  odd = {},
  extra = false,
  isShort = false,
  arch = process.arch,
  claim = {},
}: How) {
  const files = Object.entries(CONTENT).map(([path, text]) => ({
    path,
    size: text.length,
    sha256: createHash("sha256").update(text).digest("hex"),
    isExecutable: path.startsWith("bin/"),
    ...(path.startsWith("words/") ? claim : {}),
  }));
  const manifest = {
    product: "phantoma-node",
    version: "1.2.3",
    platform: "linux",
    arch,
    commit: null,
    files,
  };
  const parts = [
    entry("manifest.json", `${JSON.stringify(manifest)}\n`),
    entry("bin/tool", CONTENT["bin/tool"], { mode: "0000755" }),
    ...(isShort ? [] : [entry("words/a.txt", CONTENT["words/a.txt"], odd)]),
    ...(extra ? [entry("words/b.txt", "more")] : []),
    Buffer.alloc(1024),
  ];
  return { archive: Buffer.concat(parts) };
}

/** Written from the text of POSIX, not with the bundle's writer. */
function entry(path: string, text: string, odd: Odd = {}): Buffer {
  const {
    name = path,
    type = "0",
    mode = "0000644",
    uid = "0000000",
    magic = "ustar\x0000",
    link = "",
  } = odd;
  const size = text.length.toString(8).padStart(11, "0");
  const fields = [
    [name, 100],
    [mode, 8],
    [uid, 8],
    ["0000000", 8],
    [size, 12],
    ["00000000001", 12],
    ["        ", 8],
    [type, 1],
    [link, 100],
    [magic, 8],
    ["", 64],
    ["0000000", 8],
    ["0000000", 8],
    ["", 167],
  ] as const;
  const header = Buffer.concat(
    fields.map(([value, length]) =>
      Buffer.concat([Buffer.from(value, "latin1"), Buffer.alloc(length)], length),
    ),
  );
  const sum = header.reduce((a, b) => a + b, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const body = Buffer.alloc(Math.ceil(text.length / 512) * 512);
  body.write(text);
  return Buffer.concat([header, body]);
}
