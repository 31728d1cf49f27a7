/**
 * An update, from a permission to a release that has proven itself, or back.
 *
 *   permitted → copied and hashed → verified → unpacked → tested → current → runs → proven
 *
 * A power cut leaves the old release current until the one rename that makes the new one it; whatever is found at the
 * next start is finished by {@link Installer.recover}. Identity, vault, models and device lists are nowhere in here.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { ReleaseError } from "@phantoma/release";
import type { Permission } from "./approval.ts";
import { MAX_BUNDLE_BYTES } from "../orders/update-files.ts";
import type { Disk } from "./disk.ts";
import type { Host } from "./host.ts";
import { InstallError } from "./install-error.ts";
import { BUNDLE_DIGEST_FILE, bundleName, isNewer, type Manifest } from "./manifest.ts";
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
  /** Has `metadata/` and `targets/`, the bundle among them, written by somebody else. */
  readonly signedDir: string;
  readonly permission: Permission;
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
    const { version } = await this.#unpackAs(await this.#copy(bundlePath, sha256), sha256);
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
  async update({ signedDir, permission }: Update): Promise<string> {
    const { releases, standing, host } = this.#parts;
    const running = releases.read("current");
    if (running === undefined) throw new InstallError("ERR_FIRST");
    const sha256 = Buffer.from(permission.release).toString("hex");
    const name = bundleName(permission.version);
    const copy = await this.#copy(join(signedDir, "targets", `${sha256}.${name}`), sha256);
    const floor = standing.read().floor ?? running;
    const installedVersion = isNewer(floor, running) ? floor : running;
    const release = await this.#verify({ bundlePath: copy, name, signedDir, installedVersion });
    if (release.sha256 !== sha256 || release.version !== permission.version)
      throw new InstallError("ERR_OTHER_BUNDLE");
    if (!isNewer(release.version, installedVersion)) throw new InstallError("ERR_OLDER");
    // From here on the permission is seen: it can be shown again after a power cut, and no earlier one can.
    await standing.write({
      ...permission.counters,
      approval: permission.hash,
      isUsed: false,
    });
    try {
      const { version } = await this.#unpackAs(copy, sha256, release.version);
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

  /** The new release is current: keeps it if it runs, goes back if not. */
  async #settle(version: string, before: string): Promise<void> {
    const { releases, host, standing } = this.#parts;
    if (await host.runsCurrent()) {
      await standing.write({ floor: version, isUsed: true });
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

  async #verify(release: Omit<ReleaseToVerify, "trustDir" | "now">) {
    const { anchorPath, ownDir, now } = this.#parts;
    try {
      return await verify(anchorPath, { ...release, trustDir: join(ownDir, "trust"), now: now() });
    } catch (cause) {
      if (!(cause instanceof ReleaseError)) throw cause;
      throw new InstallError("ERR_RELEASE_REFUSED", {
        cause,
        about: `${cause.code}: ${cause.message}`,
      });
    }
  }

  /**
   * Takes the bundle from a folder that somebody else writes: what is verified and unpacked later are these bytes.
   *
   * @returns root's own copy, which is what was named
   */
  async #copy(bundlePath: string, sha256: string): Promise<string> {
    const { disk, ownDir } = this.#parts;
    const copy = join(ownDir, "bundle.tar.gz");
    disk.remove(copy);
    // Not through a link, and not waiting for ever at a pipe.
    const source = await open(
      bundlePath,
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
    try {
      if (!(await source.stat()).isFile()) throw new InstallError("ERR_OTHER_BUNDLE");
      const hash = createHash("sha256");
      await disk.writeNew(copy, hashed(source.createReadStream({ autoClose: false }), hash), 0o600);
      if (hash.digest("hex") === sha256) return copy;
    } finally {
      await source.close();
    }
    disk.remove(copy);
    throw new InstallError("ERR_OTHER_BUNDLE");
  }

  async #unpackAs(copy: string, sha256: string, wanted?: string): Promise<Manifest> {
    const { disk, releases } = this.#parts;
    const stage = releases.stagePathOf(wanted ?? "first");
    disk.remove(stage);
    const manifest = await unpack(disk, copy, stage);
    if (wanted !== undefined && manifest.version !== wanted)
      throw new InstallError("ERR_OTHER_BUNDLE");
    await disk.writeNew(join(stage, BUNDLE_DIGEST_FILE), [Buffer.from(`${sha256}\n`)], 0o644);
    disk.flushDir(stage);
    releases.place(stage, manifest.version);
    disk.remove(copy);
    return manifest;
  }
}

async function* hashed(
  source: AsyncIterable<Buffer>,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Buffer> {
  let length = 0;
  for await (const chunk of source) {
    length += chunk.length;
    if (length > MAX_BUNDLE_BYTES) throw new InstallError("ERR_TOO_LONG");
    hash.update(chunk);
    yield chunk;
  }
}
