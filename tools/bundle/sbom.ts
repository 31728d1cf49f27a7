/**
 * The bundle's list of ingredients, as CycloneDX and as SPDX: what is really in it and nothing else, and without the
 * time, the random number and the tool's version that would make it another one every time.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packagesIn } from "./contents.ts";
import { repositoryDir, type DebianPackage, type Target } from "./target.ts";

export interface SbomOptions {
  readonly version: string;
  /** Seconds since 1970. */
  readonly time: number;
}

/** @throws Error that names a package whose code is in the bundle and which npm does not know */
export function writeSboms(treeDir: string, target: Target, options: SbomOptions): void {
  const packages = packagesIn(treeDir, target);
  const libraries = target.libraries();
  mkdirSync(join(treeDir, "sbom"));
  writeJson(join(treeDir, "sbom/cyclonedx.json"), cycloneDx(packages, libraries, options));
  writeJson(join(treeDir, "sbom/spdx.json"), spdx(packages, libraries, options));
}

interface Component {
  readonly "bom-ref": string;
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
}

function cycloneDx(packages: Set<string>, libraries: DebianPackage[], options: SbomOptions) {
  const maker = join(
    repositoryDir,
    "node_modules/@cyclonedx/cyclonedx-npm/bin/cyclonedx-npm-cli.js",
  );
  const flags = ["--package-lock-only", "--flatten-components", "--output-reproducible"];
  const all = json(process.execPath, [maker, ...flags, "--no-validate", "--of", "JSON"]);
  const components = (all.components as Component[]).filter((component) =>
    packages.has(pathOf(component)),
  );
  assertAll(packages, components.map(pathOf));
  const refs = new Set(components.map((component) => component["bom-ref"]));
  const dependencies = (all.dependencies as { ref: string; dependsOn?: string[] }[])
    .filter(({ ref }) => refs.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((to) => refs.has(to)) }));
  const ours = `phantoma-node@${options.version}`;
  const linked = libraries.map((library) => ({
    type: "library",
    name: library.name,
    version: library.version,
    "bom-ref": purlOf(library),
    purl: purlOf(library),
  }));
  const dependsOn = [...refs, ...linked.map((library) => library["bom-ref"])];
  return {
    ...all,
    metadata: {
      tools: { components: [{ type: "application", group: "@cyclonedx", name: "cyclonedx-npm" }] },
      component: {
        type: "application",
        name: "phantoma-node",
        version: options.version,
        "bom-ref": ours,
      },
    },
    components: [...components, ...linked],
    dependencies: [{ ref: ours, dependsOn }, ...dependencies],
  };
}

interface SpdxPackage {
  readonly SPDXID: string;
  readonly packageFileName?: string;
}

function spdx(packages: Set<string>, libraries: DebianPackage[], { version, time }: SbomOptions) {
  const all = json("npm", ["sbom", "--package-lock-only", "--sbom-format", "spdx"]);
  const known = (all.packages as SpdxPackage[]).filter(({ packageFileName = "" }) =>
    packages.has(packageFileName),
  );
  assertAll(
    packages,
    known.map(({ packageFileName = "" }) => packageFileName),
  );
  const ids = new Set(known.map(({ SPDXID }) => SPDXID));
  const ours = "SPDXRef-Package-phantoma-node";
  const linked = libraries.map((library) => ({
    name: library.name,
    SPDXID: `SPDXRef-Debian-${library.name}`,
    versionInfo: library.version,
    downloadLocation: "NOASSERTION",
    filesAnalyzed: false,
    externalRefs: [
      {
        referenceCategory: "PACKAGE-MANAGER",
        referenceType: "purl",
        referenceLocator: purlOf(library),
      },
    ],
  }));
  const relationships = [
    { spdxElementId: "SPDXRef-DOCUMENT", relatedSpdxElement: ours, relationshipType: "DESCRIBES" },
    ...known.map(({ SPDXID }) => relation(ours, "CONTAINS", SPDXID)),
    ...linked.map(({ SPDXID }) => relation(ours, "STATIC_LINK", SPDXID)),
    ...(all.relationships as Relationship[]).filter(
      ({ spdxElementId, relatedSpdxElement }) =>
        ids.has(spdxElementId) && ids.has(relatedSpdxElement),
    ),
  ];
  const root = {
    name: "phantoma-node",
    SPDXID: ours,
    versionInfo: version,
    downloadLocation: "NOASSERTION",
    filesAnalyzed: false,
    licenseDeclared: "Apache-2.0",
  };
  const body = { packages: [root, ...known, ...linked], relationships };
  const digest = createHash("sha256").update(JSON.stringify(body)).digest("hex").slice(0, 32);
  return {
    spdxVersion: all.spdxVersion,
    dataLicense: all.dataLicense,
    SPDXID: "SPDXRef-DOCUMENT",
    name: `phantoma-node-${version}`,
    documentNamespace: `http://spdx.org/spdxdocs/phantoma-node-${version}-${digest}`,
    creationInfo: { created: new Date(time * 1000).toISOString(), creators: ["Tool: npm"] },
    documentDescribes: [ours],
    ...body,
  };
}

interface Relationship {
  readonly spdxElementId: string;
  readonly relatedSpdxElement: string;
  readonly relationshipType: string;
}

function relation(from: string, relationshipType: string, to: string): Relationship {
  return { spdxElementId: from, relatedSpdxElement: to, relationshipType };
}

function pathOf({ properties = [] }: Component): string {
  return properties.find(({ name }) => name === "cdx:npm:package:path")?.value ?? "";
}

function assertAll(packages: Set<string>, known: readonly string[]): void {
  const unknown = [...packages].filter((path) => !known.includes(path));
  if (unknown.length > 0) throw new Error(`npm knows no package in ${unknown.join(", ")}`);
}

function purlOf({ name, version, arch }: DebianPackage): string {
  return `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${arch}`;
}

function json(program: string, args: readonly string[]): Record<string, unknown> {
  // Longer than any list of packages.
  const maxBuffer = 64 * 2 ** 20;
  const text = execFileSync(program, args, {
    cwd: repositoryDir,
    maxBuffer,
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
  });
  return JSON.parse(text) as Record<string, unknown>;
}

function writeJson(path: string, value: unknown): void {
  writeFileSync(path, `${JSON.stringify(value, null, 1)}\n`);
}
