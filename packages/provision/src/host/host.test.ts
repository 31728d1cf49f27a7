/** A whole set-up below a folder of its own, by the programs that a server gets. Needs root. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { lstatSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Bundle } from "../../../../tools/bundle/bundle.ts";
import { stepNames } from "../step-names.ts";
import { steps } from "./index.ts";
import { ServerFolder, SmallReleases } from "./test-server-folder.ts";

/** A bundle is made, and a few set-ups are. */
const PATIENCE_MS = 240_000;

const isRoot = process.platform === "linux" && process.getuid?.() === 0;

test("there are words for every step, in the order in which they are done", () => {
  expect(steps.map(({ name }) => name)).toEqual(stepNames);
});

describe.skipIf(!isRoot)("a set-up", () => {
  let releases: SmallReleases;
  let release: Bundle;

  beforeAll(async () => {
    releases = new SmallReleases();
    release = await releases.make("0.1.0");
  }, PATIENCE_MS);
  afterAll(() => releases.remove());

  const server = () => new ServerFolder(mkdtempSync(join(releases.dir, "root-")), release);

  test(
    "ends with a device named, each process's files its own, and every unit enabled",
    async () => {
      const { root, ...made } = await whole();
      expect(made.nodeKey).toMatch(/^[0-9a-f]{64}$/);
      const owner = (path: string) => statSync(join(root, "var/lib/phantoma", path)).uid;
      for (const [folder, file] of [
        ["keeper", "node.key"],
        ["gateway", "tls.key"],
        ["warden", "receipt.key"],
      ] as const) {
        expect(owner(`${folder}/${file}`)).toBe(owner(folder));
        expect(owner(folder)).not.toBe(0);
        expect(statSync(join(root, "var/lib/phantoma", folder, file)).mode & 0o077).toBe(0);
      }
      expect(readlinkSync(join(root, "opt/phantoma/current"))).toContain("0.1.0");
      const wanted = readdirSync(join(root, "etc/systemd/system/multi-user.target.wants"));
      expect(wanted).toContain("phantoma-gateway.service");
      expect(readFileSync(join(root, "etc/phantoma/gateway.env"), "utf8")).toContain(
        "PHANTOMA_PORT=7443\n",
      );
    },
    PATIENCE_MS,
  );

  test(
    "follows no link that the keeper laid while it waited for a device",
    async () => {
      const made = server();
      expect(await made.run()).toMatchObject({ kind: "wants", what: "devices" });
      const victim = made.path("etc/victim");
      writeFileSync(victim, '"digest"', { mode: 0o600 });
      const models = made.path("var/lib/phantoma/models");
      for (const name of ["catalogue.json.new", "of-root"]) symlinkSync(victim, join(models, name));
      made.nameDevice();
      expect(await made.run()).toMatchObject({ kind: "ended", what: "installed" });
      expect(readFileSync(victim, "utf8")).toBe('"digest"');
      expect(statSync(victim)).toMatchObject({ uid: 0, mode: 0o100600 });
      const keeper = statSync(models).uid;
      expect(keeper).not.toBe(0);
      const owners = readdirSync(models).map((name) => lstatSync(join(models, name)).uid);
      expect(owners).toEqual([keeper, keeper, keeper]);
    },
    PATIENCE_MS,
  );

  test(
    "stops before another release, and before a bundle that is not the one that was sent",
    async () => {
      const made = server();
      const path = made.path("var/lib/phantoma-setup/bundle.tar.gz");
      const bytes = readFileSync(path);
      writeFileSync(path, Buffer.concat([bytes.subarray(0, -1), Buffer.from([bytes.at(-1)! ^ 1])]));
      expect(await made.run()).toMatchObject({ kind: "failed", step: "release" });
      expect(existsSync(made.path("opt/phantoma/current"))).toBe(false);
      writeFileSync(path, bytes);
      expect(await made.whole()).toMatchObject({ kind: "ended", what: "installed" });
      made.order({ sha256: "ab".repeat(32) });
      const before = made.look();
      expect(await made.run()).toMatchObject({
        kind: "failed",
        step: "release",
        why: expect.stringContaining("another release"),
      });
      expect(made.look()).toEqual(before);
    },
    PATIENCE_MS,
  );

  async function whole(): Promise<{ root: string; nodeKey: string | undefined }> {
    const made = server();
    expect(await made.run()).toMatchObject({ kind: "wants", what: "devices" });
    made.nameDevice();
    expect(await made.run()).toMatchObject({ kind: "ended", what: "installed" });
    return { root: made.root, nodeKey: made.nodeKey };
  }
});
