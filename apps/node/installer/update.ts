/**
 * An update, from a permission to a release that has proven itself, or back.
 *
 *   permitted → verified and copied → unpacked → tested → current → runs → proven
 *
 * A power cut leaves the old release current until the one rename that makes the new one it; whatever is found at the
 * next start is finished by {@link Installer.recover}. Identity, vault, models and device lists are nowhere in here.
 *
 * @module
 */
import { createHash, randomUUID } from "node:crypto";
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import {
  compareVersions,
  demandDigest,
  type Keep,
  LICENCE_KEYS_NAME,
  ReleaseError,
} from "@phantoma/release";
import type { Permission } from "./approval.ts";
import type { Disk } from "./disk.ts";
import type { Host } from "./host.ts";
import { InstallError } from "./install-error.ts";
import { BUNDLE_DIGEST_FILE, bundleName, type Manifest } from "./manifest.ts";
import { verify, type ReleaseToVerify } from "./release-verifier.ts";
import type { Releases } from "./releases.ts";
import type { StandingFile } from "./standing.ts";
import { unpack } from "./unpack.ts";

/** A copy that a run left; the first installers gave it one name. */
const COPY_NAME = /^bundle[0-9a-f-]*\.tar\.gz$/;

export interface Parts {
  readonly disk: Disk;
  readonly releases: Releases;
  readonly standing: StandingFile;
  readonly host: Host;
  /** Whom a build without release keys in it believes. */
  readonly anchorPath: string;
  /** The installer's own folder, 0700. */
  readonly ownDir: string;
  /** For everybody to read. */
  readonly outcomeDir: string;
  readonly now: () => Date;
}

export interface Update {
  readonly bundlePath: string;
  /** Has `metadata/` and `targets/`, written by somebody else. */
  readonly signedDir: string;
  readonly permission: Permission;
}

export class Installer {
  readonly #parts: Parts;
  /** Root's own copy of what is verified: only these bytes are unpacked. No other run has one of this name. */
  readonly #copyPath: string;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#copyPath = join(parts.ownDir, `bundle-${randomUUID()}.tar.gz`);
  }

  /**
   * Finishes what a power cut interrupted.
   *
   * @returns the version that runs; `undefined` on a machine without a release
   * @throws {@link InstallError} `ERR_ROLLED_BACK`: the interrupted update came to a bad end, the old release runs
   */
  async recover(): Promise<string | undefined> {
    const { releases } = this.#parts;
    releases.makeFolders();
    const { disk, ownDir } = this.#parts;
    for (const name of readdirSync(ownDir))
      if (COPY_NAME.test(name)) disk.remove(join(ownDir, name));
    const [current, proven] = [releases.read("current"), releases.read("proven")];
    if (proven === undefined) return undefined;
    if (current !== undefined && current !== proven) await this.#settle(current, proven);
    else if (current === undefined) releases.point("current", proven);
    releases.sweep();
    return releases.read("current");
  }

  /**
   * The release that a machine begins with. Whoever sets the node up has verified it, and names the bundle.
   *
   * @throws {@link InstallError}
   */
  async first(bundlePath: string, sha256: string): Promise<string> {
    if ((await this.recover()) !== undefined) throw new InstallError("ERR_FIRST");
    const { releases, host, standing } = this.#parts;
    releases.sweep();
    await this.#copyNamed(bundlePath, sha256);
    const { version } = await this.#unpackAs(sha256);
    if (!(await host.passesSelfTest(releases.pathOf(version)))) {
      releases.discard(version);
      throw new InstallError("ERR_SELF_TEST");
    }
    await standing.write({ floor: version });
    releases.point("current", version);
    releases.point("proven", version);
    return version;
  }

  /**
   * After {@link recover}.
   *
   * @returns the version that runs now
   * @throws {@link InstallError}; the old release runs then
   */
  async update({ bundlePath, signedDir, permission }: Update): Promise<string> {
    const { releases, standing, host } = this.#parts;
    const running = releases.read("current");
    if (running === undefined) throw new InstallError("ERR_FIRST");
    const sha256 = Buffer.from(permission.release).toString("hex");
    const name = bundleName(permission.version);
    const floor = standing.read().floor ?? running;
    const installedVersion = compareVersions(floor, running) > 0 ? floor : running;
    const release = await this.#verify({ bundlePath, name, signedDir, installedVersion });
    await this.#publishLicenceKeys(release.licenceKeys);
    if (release.sha256 !== sha256 || release.version !== permission.version)
      throw new InstallError("ERR_OTHER_BUNDLE");
    if (compareVersions(release.version, installedVersion) <= 0)
      throw new InstallError("ERR_OLDER");
    // From here on the permission is seen: it can be shown again after a power cut, and no earlier one can.
    await standing.write({
      ...permission.counters,
      approval: permission.hash,
      isUsed: false,
    });
    try {
      const { version } = await this.#unpackAs(sha256, release.version);
      if (!(await host.passesSelfTest(releases.pathOf(version))))
        throw new InstallError("ERR_SELF_TEST");
    } catch (error) {
      releases.discard(release.version);
      await standing.write({ isUsed: true });
      throw error;
    }
    await host.pause();
    try {
      releases.point("current", release.version);
    } catch (error) {
      await host.runsCurrent();
      throw error;
    }
    await this.#settle(release.version, running);
    releases.keepOnly([release.version, running]);
    return release.version;
  }

  /**
   * To a release that ran here before, as root says: nobody signs that. What was left is not installed again: an update
   * must be newer than it.
   *
   * @returns the version that runs now
   * @throws {@link InstallError} `ERR_NOT_KEPT`, or `ERR_ROLLED_BACK` where it does not run any more
   */
  async rollback(version: string): Promise<string> {
    const { releases, host } = this.#parts;
    const running = await this.recover();
    if (running === undefined) throw new InstallError("ERR_FIRST");
    if (version === running) return running;
    if (!releases.has(version)) throw new InstallError("ERR_NOT_KEPT");
    await host.pause();
    releases.point("current", version);
    await this.#settle(version, running);
    return version;
  }

  /** The new release is current: keeps it if it runs, goes back if not. */
  async #settle(version: string, before: string): Promise<void> {
    const { releases, host, standing } = this.#parts;
    if (await host.runsCurrent()) {
      const { floor } = standing.read();
      const isHigher = floor === null || compareVersions(version, floor) > 0;
      await standing.write({ floor: isHigher ? version : floor, isUsed: true });
      releases.point("proven", version);
      return;
    }
    const unwritten = await standing.write({ isUsed: true }).catch((error: unknown) => error);
    // Back in any case: where the disk is full as well.
    await host.pause();
    releases.point("current", before);
    if (!(await host.runsCurrent())) throw new InstallError("ERR_NOTHING_RUNS");
    if (unwritten !== undefined) throw unwritten;
    releases.discard(version);
    throw new InstallError("ERR_ROLLED_BACK", { about: version });
  }

  async #verify(release: Omit<ReleaseToVerify, "keep" | "trustDir" | "now">) {
    const { anchorPath, disk, ownDir, now } = this.#parts;
    const trustDir = join(ownDir, "trust");
    try {
      return await verify(anchorPath, { ...release, keep: this.#keep, trustDir, now: now() });
    } catch (cause) {
      disk.remove(this.#copyPath);
      if (!(cause instanceof ReleaseError)) throw cause;
      throw new InstallError("ERR_RELEASE_REFUSED", {
        cause,
        about: `${cause.code}: ${cause.message}`,
      });
    }
  }

  /** The quorum's word, whatever becomes of the release. The keeper reads it. */
  async #publishLicenceKeys(keys: readonly string[] | null): Promise<void> {
    const { disk, outcomeDir } = this.#parts;
    const path = join(outcomeDir, LICENCE_KEYS_NAME);
    if (keys === null) return disk.remove(path);
    disk.makeDir(outcomeDir);
    await disk.replace(path, JSON.stringify({ keys }), 0o644);
  }

  /** For a bundle that was verified elsewhere, and named by its digest. */
  async #copyNamed(bundlePath: string, sha256: string): Promise<void> {
    try {
      const length = lstatSync(bundlePath).size;
      await demandDigest(bundlePath, { length, sha256 }, this.#keep);
    } catch (cause) {
      this.#parts.disk.remove(this.#copyPath);
      throw cause instanceof ReleaseError ? new InstallError("ERR_OTHER_BUNDLE", { cause }) : cause;
    }
  }

  readonly #keep: Keep = async (bytes) => {
    this.#parts.disk.remove(this.#copyPath);
    await this.#parts.disk.writeNew(this.#copyPath, bytes, 0o600);
  };

  async #unpackAs(sha256: string, wanted?: string): Promise<Manifest> {
    const { disk, releases } = this.#parts;
    const stage = releases.stagePathOf(wanted ?? "first");
    disk.remove(stage);
    // Again, of the bytes that are unpacked: nothing that happened to the copy meanwhile gets a name.
    const hash = createHash("sha256");
    const see = (bytes: Buffer) => void hash.update(bytes);
    const manifest = await unpack(disk, this.#copyPath, stage, process.arch, see);
    if (hash.digest("hex") !== sha256 || (wanted !== undefined && manifest.version !== wanted))
      throw new InstallError("ERR_OTHER_BUNDLE");
    await disk.writeNew(join(stage, BUNDLE_DIGEST_FILE), [Buffer.from(`${sha256}\n`)], 0o644);
    disk.flushDir(stage);
    releases.place(stage, manifest.version);
    disk.remove(this.#copyPath);
    return manifest;
  }
}
