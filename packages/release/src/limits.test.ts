/** Every limit of the verifier: met at it, refused one past it, with everybody's signature under both. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { Metadata, Root } from "@tufjs/models";
import { padTo, RELEASE_NAME, ReleaseUnderTest } from "../../../tests/release-under-test.ts";
import {
  addSignature,
  fileBytes,
  newRoot,
  newTargets,
} from "../../../tools/release/new-metadata.ts";
import { makeKey } from "../../../tools/release/signing-key.ts";
import * as limits from "./limits.ts";
import { compareVersions, isVersion } from "./version.ts";

let release: ReleaseUnderTest;
beforeEach(async () => {
  release = await new ReleaseUnderTest().make();
});

describe("sizes", () => {
  test.each([
    ["targets", limits.MAX_TARGETS_BYTES],
    ["snapshot", limits.MAX_SNAPSHOT_BYTES],
    ["timestamp", limits.MAX_TIMESTAMP_BYTES],
  ] as const)("%s may have %i bytes and not one more", async (role, bytes) => {
    release.sign(undefined, { [role]: bytes });
    expect(await release.refusal()).toBeUndefined();
    release.sign(undefined, { [role]: bytes + 1 });
    expect(await release.refusal()).toBe("ERR_TOO_LARGE");
  });

  test("a root may have its size and not one byte more", async () => {
    const root = fileBytes(nextRoot(2));
    const path = join(release.repository, "metadata/2.root.json");
    writeFileSync(path, padTo(root, limits.MAX_ROOT_BYTES));
    expect(await release.refusal()).toBeUndefined();
    writeFileSync(path, padTo(root, limits.MAX_ROOT_BYTES + 1));
    expect(await release.refusal()).toBe("ERR_TOO_LARGE");
  });

  test.each(["cyclonedx", "spdx"] as const)(
    "a list of parts in %s has its limit",
    async (format) => {
      const { sbom } = customOf(release);
      const bytes = readFileSync(join(release.dir, `${format}.json`));
      const atLimit = release.add("parts.json", padTo(bytes, limits.MAX_SBOM_BYTES));
      release.signChanged({ sbom: { ...sbom, [format]: atLimit } });
      expect(await release.refusal()).toBeUndefined();
      const past = release.add("parts.json", padTo(bytes, limits.MAX_SBOM_BYTES + 1));
      release.signChanged({ sbom: { ...sbom, [format]: past } });
      expect(await release.refusal()).toBe("ERR_RECORD");
      release.signChanged({
        sbom: { ...sbom, [format]: { ...past, length: limits.MAX_SBOM_BYTES } },
      });
      expect(await release.refusal()).toBe("ERR_TOO_LARGE");
    },
  );

  test("a proof of origin has its limit, and so has their number", async () => {
    const [made] = customOf(release).provenance;
    const bytes = readFileSync(join(release.repository, `targets/${made!.sha256}.${made!.name}`));
    const atLimit = release.add("proof.json", padTo(bytes, limits.MAX_PROVENANCE_BYTES));
    release.signChanged({ provenance: Array(limits.MAX_PROVENANCES).fill(atLimit) });
    expect(await release.refusal()).toBeUndefined();
    release.signChanged({ provenance: Array(limits.MAX_PROVENANCES + 1).fill(made) });
    expect(await release.refusal()).toBe("ERR_RECORD");
    const past = release.add("proof.json", padTo(bytes, limits.MAX_PROVENANCE_BYTES + 1));
    release.signChanged({ provenance: [past] });
    expect(await release.refusal()).toBe("ERR_RECORD");
  });

  test("Sigstore's keys have their limit", async () => {
    const trusted = release.files.find(({ name }) => name !== RELEASE_NAME)!;
    const bytes = readFileSync(
      join(release.repository, `targets/${trusted.sha256}.${trusted.name}`),
    );
    const withKeys = (length: number) => {
      const file = release.add(trusted.name, padTo(bytes, length));
      const others = release.files.filter(({ name }) => name === RELEASE_NAME);
      release.sign(newTargets(2, [...others, file], release.nowMs));
    };
    withKeys(limits.MAX_TRUSTED_ROOT_BYTES);
    expect(await release.refusal()).toBeUndefined();
    withKeys(limits.MAX_TRUSTED_ROOT_BYTES + 1);
    expect(await release.refusal()).toBe("ERR_TOO_LARGE");
  });

  test("an artifact has its limit: at it the file is read, past it nothing is", async () => {
    release.signChanged({}, { length: limits.MAX_ARTIFACT_BYTES });
    expect(await release.refusal()).toBe("ERR_DIGEST");
    release.signChanged({}, { length: limits.MAX_ARTIFACT_BYTES + 1 });
    expect(await release.refusal()).toBe("ERR_TOO_LARGE");
  });
});

describe("keys", () => {
  test("there may be 256 changes of keys behind a build and not one more", async () => {
    for (let version = 2; version <= limits.MAX_ROOT_ROTATIONS + 1; version += 1) put(version);
    expect(await release.refusal()).toBeUndefined();
    put(limits.MAX_ROOT_ROTATIONS + 2);
    expect(await release.refusal()).toBe("ERR_ROOT_CHAIN");
  });

  test("a root may list 32 keys and not one more", async () => {
    const withKeys = (count: number) => {
      const more = Array.from({ length: count - 7 }, (_, index) => makeKey(`person ${index}`));
      const { roster } = release.team;
      const targets = { keys: [...release.team.engineers, ...more], threshold: 2 };
      putRoot(newRoot(2, own(), { ...roster, targets }, release.nowMs));
    };
    withKeys(limits.MAX_KEYS);
    expect(await release.refusal()).toBeUndefined();
    withKeys(limits.MAX_KEYS + 1);
    expect(await release.refusal()).toBe("ERR_TOO_LARGE");
  });

  test.each([
    ["root", limits.MIN_ROOT_SIGNERS, limits.MIN_ROOT_PEOPLE],
    ["targets", limits.MIN_TARGETS_SIGNERS, limits.MIN_TARGETS_PEOPLE],
  ] as const)(
    "%s needs %i of %i people or more, whoever says otherwise",
    async (role, signers, people) => {
      const withRole = (count: number, threshold: number) => {
        const keys = release.team.engineers.slice(0, count);
        const roster = { ...release.team.roster, [role]: { keys, threshold } };
        putRoot(newRoot(2, own(), roster, release.nowMs));
      };
      withRole(people, signers);
      expect(await release.refusal()).toBeUndefined();
      withRole(people - 1, signers);
      expect(await release.refusal()).toBe("ERR_TOO_FEW_KEYS");
      withRole(people, signers - 1);
      expect(await release.refusal()).toBe("ERR_TOO_FEW_KEYS");
    },
  );
});

describe("time", () => {
  test("a timestamp is good until the second before its day ends", async () => {
    const day = limits.MAX_LIFE_MS.timestamp - (release.nowMs % 1000);
    expect(await release.refusal({ nowMs: release.nowMs + day - 1 })).toBeUndefined();
    expect(await release.refusal({ nowMs: release.nowMs + day })).toBe("ERR_EXPIRED");
  });

  test("a clock may be an hour behind what was seen", async () => {
    const stateDir = release.newDir();
    const later = release.nowMs + 7_200_000;
    expect(await release.refusal({ stateDir, nowMs: later })).toBeUndefined();
    const { CLOCK_SKEW_MS } = limits;
    expect(await release.refusal({ stateDir, nowMs: later - CLOCK_SKEW_MS })).toBeUndefined();
    expect(await release.refusal({ stateDir, nowMs: later - CLOCK_SKEW_MS - 1 })).toBe("ERR_CLOCK");
  });

  test("nobody vouches for longer than their role may, and an hour of two clocks", async () => {
    const withLife = (extraMs: number) => {
      const expires = `${new Date(release.nowMs + limits.MAX_LIFE_MS.targets + extraMs).toISOString().slice(0, 19)}Z`;
      const targets = newTargets(2, release.files, release.nowMs);
      release.sign(new Metadata(Object.assign(targets.signed, { expires })));
    };
    withLife(limits.CLOCK_SKEW_MS);
    expect(await release.refusal()).toBeUndefined();
    withLife(limits.CLOCK_SKEW_MS + 1000);
    expect(await release.refusal()).toBe("ERR_EXPIRED");
  });
});

test("a version is not older than what is installed, and what is installed not older than its floor", async () => {
  const codes = ["0.8.9", "0.9.0", "1.0.0", "1.0.1"].map((installed) =>
    release.refusal({ installed }),
  );
  expect(await Promise.all(codes)).toEqual([
    "ERR_VERSION_FLOOR",
    undefined,
    undefined,
    "ERR_DOWNGRADE",
  ]);
});

test("versions are ordered as Semantic Versioning says, and have one spelling", () => {
  const ordered = [
    "0.9.9",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-beta.9007199254740992",
    "1.0.0-beta.9007199254740993",
    "1.0.0",
    "1.0.10",
  ];
  expect(ordered.toReversed().toSorted(compareVersions)).toEqual(ordered);
  for (const none of ["1.0", "01.0.0", "1.0.0-", "1.0.0-01", "1.0.0+build", "v1.0.0", "1.0.0\n"])
    expect(isVersion(none)).toBe(false);
});

test("a version has 32 letters and not one more, as an approval of it has", () => {
  const atLimit = `1.0.0-${"x".repeat(limits.MAX_VERSION_LETTERS - 6)}`;
  expect(isVersion(atLimit)).toBe(true);
  expect(isVersion(`${atLimit}x`)).toBe(false);
});

function own() {
  return { kind: "development", line: release.anchor.line } as const;
}

function nextRoot(version: number): Metadata<Root> {
  const root = newRoot(version, own(), release.team.roster, release.nowMs);
  for (const engineer of release.team.engineers.slice(0, 3)) addSignature(root, engineer);
  return root;
}

function put(version: number): void {
  writeFileSync(
    join(release.repository, `metadata/${version}.root.json`),
    fileBytes(nextRoot(version)),
  );
}

function putRoot(root: Metadata<Root>): void {
  for (const engineer of release.team.engineers) addSignature(root, engineer);
  writeFileSync(join(release.repository, "metadata/2.root.json"), fileBytes(root));
}

interface Named {
  readonly name: string;
  readonly sha256: string;
}
function customOf({ files }: ReleaseUnderTest) {
  const { custom } = files.find(({ name }) => name === RELEASE_NAME)!;
  return custom as { readonly sbom: object; readonly provenance: readonly Named[] };
}
