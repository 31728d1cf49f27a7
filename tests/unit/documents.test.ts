/** Documents stay true: what they link to, name and number is there, and is what the code says. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import * as crypto from "@phantoma/crypto";
import * as protocol from "@phantoma/protocol";
import { describe, expect, test } from "vitest";
import { documentLayouts, type Shape } from "../../packages/crypto/vectors/document-layouts.ts";
import * as limits from "../../packages/protocol/src/limits.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const files = filesBelow(root).map((path) => ({ name: relative(root, path), path }));
const documents = files
  .filter(({ name }) => extname(name) === ".md")
  .map(({ name, path }) => ({ name, path, text: readFileSync(path, "utf8") }));
const scripts = Object.keys(
  (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: object }).scripts,
);

test("the documents are found, so that the tests below mean something", () => {
  expect(documents.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["README.md", "SECURITY.md", "packages/protocol/PROTOCOL.md"]),
  );
});

describe.each(documents)("$name", ({ path, text }) => {
  test("links only to what is there", () => {
    const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
    const local = targets.filter((target) => !/^(https?:|mailto:|#)/.test(target));
    const missing = local.filter(
      (target) => !existsSync(join(dirname(path), target.split("#")[0]!)),
    );
    expect(missing).toEqual([]);
  });

  test("names only commands that package.json has", () => {
    const named = [...text.matchAll(/npm (?:run )?([a-z][a-z0-9:-]*)/g)]
      .filter(([whole, name]) => whole.includes(" run ") || name === "start" || name === "test")
      .map(([, name]) => name!);
    expect(named.filter((name) => !scripts.includes(name))).toEqual([]);
  });

  test("names only paths that are there", () => {
    const inline = [...text.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!);
    const trees = [...text.matchAll(/^([\w./-]+\/) {2,}/gm)].map(([, code]) => code!);
    const paths = [...inline, ...trees].filter((code) => REPOSITORY_PATH.test(code));
    expect(paths.filter((code) => !existsSync(join(root, code)))).toEqual([]);
  });
});

describe("PROTOCOL.md", () => {
  const text = readFileSync(join(root, "packages/protocol/PROTOCOL.md"), "utf8");

  test("section 9.1 has every limit of the wire, with its value", () => {
    const written = tables(text, "### 9.1", "### 9.2").map(([name, value]) => [code(name), value]);
    const actual = Object.entries(limits).map(([name, value]) => [
      name,
      [value].flat().join(" / "),
    ]);
    expect(Object.fromEntries(written)).toEqual(Object.fromEntries(actual));
  });

  test("section 9.2 has the values of packages/crypto", () => {
    const rows = tables(text, "### 9.2", "## 10").map(([name, value]) => [code(name), value!]);
    expect(rows.length).toBeGreaterThan(10);
    const values = new Map<string, unknown>(Object.entries(crypto));
    expect(rows.map(([name, value]) => [name, BigInt(value!)])).toEqual(
      rows.map(([name]) => [name, BigInt(values.get(name!) as number | bigint)]),
    );
  });

  test("every limit has a unit and a reason", () => {
    const rows = tables(text, "### 9.1", "## 10");
    expect(rows.filter((row) => row.length !== 4 || row.includes(""))).toEqual([]);
  });

  test("section 2.3 has every refusal, with its status", () => {
    const rows = tables(text, "### 2.3", "### 2.4").map(([name, status]) => [code(name), +status!]);
    expect(Object.fromEntries(rows)).toEqual(protocol.refusals);
  });

  test("section 2.5 has every close code", () => {
    const rows = tables(text, "### 2.5", "## 3").map(([number, name]) => [name, Number(number)]);
    expect(Object.fromEntries(rows)).toEqual(protocol.CloseCode);
  });

  test.each([
    ["### 5.3", "### 5.4", protocol.TaskKind],
    ["### 5.4", "## 6", protocol.ControlKind],
  ] as const)("section %s has every kind of message", (from, to, kinds) => {
    const rows = tables(text, from, to).filter(([number]) => number!.startsWith("0x"));
    expect(Object.fromEntries(rows.map(([number, name]) => [name, Number(number)]))).toEqual(kinds);
  });

  test.each([
    ["### 5.3", "### 5.4", protocol.taskRefusals],
    ["### 5.4", "### 5.5", protocol.controlRefusals],
    ["### 5.5", "## 6", protocol.transferFailures],
  ] as const)("section %s has every refusal of its own", (from, to, refusals) => {
    const rows = tables(text, from, to).map(([name]) => code(name));
    expect(rows.filter((name) => name.startsWith("ERR_")).toSorted()).toEqual(
      [...refusals].toSorted(),
    );
  });

  test("section 6 has the buckets in their order", () => {
    const listed = /40, 50, [\d, \n]+/.exec(text)![0].match(/\d+/g)!.map(Number);
    const afterEach = [1, ...listed.map((bucket) => bucket + 1)].slice(0, listed.length);
    expect(afterEach.map((records) => protocol.bucketRecords(records))).toEqual(listed);
  });

  test("section 7.1 has every kind of signed document, its number and its domain", () => {
    const rows = tables(text, "### 7.1", "### 7.2").filter((row) => row.length === 4);
    const written = rows.filter(([type]) => /^\d+$/.test(type!) && +type! > 0);
    const actual = Object.values(documentLayouts).map(({ type, version, name }) => [
      String(type),
      name,
      `\`phantoma ${name} v${version}\\0\``,
    ]);
    expect(written.map((row) => row.slice(0, 3))).toEqual(actual);
  });

  const sections = Object.values(documentLayouts).map((layout, index) => ({
    layout,
    from: `### 7.${index + 3} `,
    // A file of receipts follows the last document.
    to: `### 7.${index + 4} `,
  }));
  test.each(sections)("section $from has the layout of its document", ({ layout, from, to }) => {
    const rows = tables(text, from, to).filter(([, , name]) => name!.startsWith("`"));
    const named = fieldsOf(layout.shape, 2);
    const entries = layout.name === "device list" ? fieldsOf(deviceShape(layout.shape), 0) : [];
    expect(rows.map(([, , name]) => code(name))).toEqual([...named, ...entries].map((f) => f.name));
    for (const [index, { offset, size }] of [...named, ...entries].entries()) {
      const [writtenOffset, writtenSize] = rows[index]!;
      if (/^\d+$/.test(writtenOffset!)) expect(Number(writtenOffset)).toBe(offset);
      if (/^\d+$/.test(writtenSize!)) expect(Number(writtenSize)).toBe(size);
    }
  });
});

test("nothing that is published names the machine it was made on", () => {
  const own = fileURLToPath(import.meta.url);
  const found = files
    .filter(({ path }) => path !== own)
    .flatMap(({ name, path }) => {
      const text = textOf(path);
      if (text === undefined) return [];
      const patterns = name.startsWith("tests/") ? MACHINE : [...MACHINE, NEIGHBOUR];
      return patterns.flatMap((pattern) => pattern.exec(text)?.[0] ?? []).map((hit) => [name, hit]);
    });
  expect(found).toEqual([]);
});

/** A path of ours in backticks: it begins with a top folder, or is a file at the top. */
const REPOSITORY_PATH =
  /^(?:(?:apps|packages|tools|tests|docs|models|bpf|\.ci|\.github)\/[\w./-]+|[A-Z]+\.md|package\.json)$/;

/** Folders of the machine, and where packages came from: no one else has them. */
const MACHINE = [
  /(?<![\w.~-])\/(?:work|root|mnt)\/[\w.-]+/,
  /\bhttps?:\/\/[\w.-]*(?:registry|npmjs|artifactory|mirror)[\w.-]*/,
];
const NEIGHBOUR = /\.\.\/shared\b/;

/** More than any text of ours has. */
const MAX_TEXT_BYTES = 8_000_000;

function filesBelow(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isFile()) return [path];
    const isOurs = entry.isDirectory() && !["node_modules", ".git", ".cache"].includes(entry.name);
    return isOurs ? filesBelow(path) : [];
  });
}

/** `undefined` for what is no text. */
function textOf(path: string): string | undefined {
  if (statSync(path).size > MAX_TEXT_BYTES) return undefined;
  const bytes = readFileSync(path);
  return bytes.subarray(0, 8192).includes(0) ? undefined : bytes.toString("utf8");
}

/** The cells of every table row between two headings, without the head of each table. */
function tables(text: string, from: string, to: string): string[][] {
  const start = text.indexOf(`\n${from}`);
  const end = text.indexOf(`\n${to}`, start + 1);
  expect(start).toBeGreaterThan(0);
  expect(end).toBeGreaterThan(start);
  const lines = text.slice(start, end).split("\n");
  return lines
    .filter((line, index) => line.startsWith("|") && !isHead(line) && !isHead(lines[index + 1]))
    .map((line) => line.split(/(?<!\\)\|/).slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()));
}

/** The line of dashes under a table's names; the names themselves stand before it. */
function isHead(line: string | undefined): boolean {
  return line !== undefined && /^\|[\s|:-]+\|$/.test(line);
}

function code(cell: string | undefined): string {
  return (cell ?? "").replaceAll("`", "");
}

interface PlacedField {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

/** Fields with their offsets, as far as everything before them has a fixed size. */
function fieldsOf(shape: Shape, start: number): PlacedField[] {
  if (shape.kind !== "group") throw new TypeError("only a group has fields");
  let offset = start;
  return shape.fields.map(([name, field]) => {
    const placed = { name, offset, size: sizeOf(field) };
    offset += placed.size;
    return placed;
  });
}

/** NaN where the size depends on the value. */
function sizeOf(shape: Shape): number {
  switch (shape.kind) {
    case "bytes":
      return shape.length;
    case "number":
      return shape.width;
    case "counter":
      return 8;
    case "choice":
      return 1;
    default:
      return Number.NaN;
  }
}

function deviceShape(shape: Shape): Shape {
  const devices = shape.kind === "group" ? shape.fields.at(-1)![1] : shape;
  return devices.kind === "list" ? devices.inner : devices;
}
