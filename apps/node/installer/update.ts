/**
 * An update, from an approval to a release that has proven itself, or back.
 *
 *   approved → verified and copied → unpacked → tested → current → runs → proven
 *
 * A power cut leaves the old release current until the one rename that makes the new one it; whatever is found at the
 * next start is finished by {@link Installer.recover}. Identity, vault, models and device lists are nowhere in here.
 *
 * @module
 */
import { lstatSync } from "node:fs";
import { join } from "node:path";
import type { DeviceList } from "@phantoma/crypto";
import { compareVersions, demandDigest, type Keep, ReleaseError } from "@phantoma/release";
import { isSpent, openApproval } from "./approval.ts";
import type { Disk } from "./disk.ts";
import type { Host } from "./host.ts";
import { InstallError } from "./install-error.ts";
import { BUNDLE_DIGEST_FILE, bundleName, type Manifest } from "./manifest.ts";
import { verify, type ReleaseToVerify } from "./release-verifier.ts";
import type { Releases } from "./releases.ts";
import type { StandingFile } from "./standing.ts";
import { unpack } from "./unpack.ts";

export interface Parts {
  readonly disk: Disk;
  readonly releases: Releases;
  readonly standing: StandingFile;
  readonly host: Host;
  /** Whom a build without release keys in it believes. */
  readonly anchorPath: string;
  /** The installer's own folder, 0700. */
  readonly ownDir: string;
  readonly now: () => Date;
}

export interface Update {
  readonly bundlePath: string;
  /** Has `metadata/` and `targets/`, written by somebody else. */
  readonly signedDir: string;
  readonly approval: Uint8Array;
  /** This node's, followed by the installer itself. */
  readonly devices: DeviceList;
}

export class Installer {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
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
    this.#parts.disk.remove(this.#copyPath);
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
  async update({ bundlePath, signedDir, approval, devices }: Update): Promise<string> {
    const { releases, standing, host, now } = this.#parts;
    const running = releases.read("current");
    if (running === undefined) throw new InstallError("ERR_FIRST");
    // It led to an end before, and lies there still at every boot.
    if (isSpent(approval, standing.read())) return running;
    const approved = openApproval(approval, devices, standing.read(), now().getTime());
    const sha256 = Buffer.from(approved.release).toString("hex");
    const floor = standing.read().floor ?? running;
    const installedVersion = compareVersions(floor, running) > 0 ? floor : running;
    const name = bundleName(approved.version);
    const release = await this.#verify({ bundlePath, name, signedDir, installedVersion });
    if (release.sha256 !== sha256 || release.version !== approved.version)
      throw new InstallError("ERR_OTHER_BUNDLE");
    if (compareVersions(release.version, installedVersion) <= 0)
      throw new InstallError("ERR_OLDER");
    // From here on the approval is seen: it can be shown again after a power cut, and no earlier one can.
    await standing.write({
      counter: String(approved.counter),
      approval: approved.hash,
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
      const isHigher = floor === null || isNewer(version, floor);
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

  /** Root's own copy of what is verified: only these bytes are unpacked. */
  get #copyPath(): string {
    return join(this.#parts.ownDir, "bundle.tar.gz");
  }

  readonly #keep: Keep = async (bytes) => {
    this.#parts.disk.remove(this.#copyPath);
    await this.#parts.disk.writeNew(this.#copyPath, bytes, 0o600);
  };

  async #unpackAs(sha256: string, wanted?: string): Promise<Manifest> {
    const { disk, releases } = this.#parts;
    const stage = releases.stagePathOf(wanted ?? "first");
    disk.remove(stage);
    const manifest = await unpack(disk, this.#copyPath, stage);
    if (wanted !== undefined && manifest.version !== wanted)
      throw new InstallError("ERR_OTHER_BUNDLE");
    await disk.writeNew(join(stage, BUNDLE_DIGEST_FILE), [Buffer.from(`${sha256}\n`)], 0o644);
    disk.flushDir(stage);
    releases.place(stage, manifest.version);
    disk.remove(this.#copyPath);
    return manifest;
  }
}
