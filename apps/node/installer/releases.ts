/**
 * The releases of a machine, and which one counts.
 *
 *   releases/0.2.0/       a whole release, root's, never changed once it has this name
 *   releases/.new-0.2.0/  one that is being unpacked, or on its way out: nobody's, removed at the next start
 *   current               what the units run
 *   proven                what has passed its test while it ran; the installer itself runs from here
 *
 * The two links are all that an interrupted update leaves to be read: if they differ, the new release has not
 * proven itself yet. The installer of a release that cannot even start is therefore never needed.
 *
 * @module
 */
import { readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import type { Disk } from "./disk.ts";
import { InstallError } from "./install-error.ts";
import { versionSchema } from "./manifest.ts";

type Link = "current" | "proven";

export class Releases {
  readonly dir: string;
  readonly #disk: Disk;

  /** @param dir `/opt/phantoma` */
  constructor(dir: string, disk: Disk) {
    this.dir = dir;
    this.#disk = disk;
  }

  pathOf(version: string): string {
    return join(this.dir, "releases", version);
  }

  stagePathOf(version: string): string {
    return join(this.dir, "releases", `.new-${version}`);
  }

  linkPath(link: Link): string {
    return join(this.dir, link);
  }

  /** @throws {@link InstallError} `ERR_STATE` for a link that is not ours */
  read(link: Link): string | undefined {
    let target: string;
    try {
      target = readlinkSync(this.linkPath(link));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw new InstallError("ERR_STATE", { about: link, cause: error });
    }
    const version = versionSchema.safeParse(/(?:^|\/)releases\/([^/]+)$/.exec(target)?.[1]);
    if (!version.success) throw new InstallError("ERR_STATE", { about: link });
    return version.data;
  }

  point(link: Link, version: string): void {
    this.#disk.relink(this.linkPath(link), `releases/${version}`);
  }

  /** Whole: the others have names that begin with a dot. */
  has(version: string): boolean {
    return versionSchema.safeParse(version).success && this.#names().includes(version);
  }

  /** Gives an unpacked tree its name. */
  place(stagePath: string, version: string): void {
    this.discard(version);
    this.#disk.rename(stagePath, this.pathOf(version));
  }

  /** Takes a release's name away first, so that no name ever stands for half of one. */
  discard(version: string): void {
    if (!this.#names().includes(version)) return;
    const leaving = join(this.dir, "releases", `.old-${version}`);
    this.#disk.remove(leaving);
    this.#disk.rename(this.pathOf(version), leaving);
    this.#disk.remove(leaving);
  }

  /** Removes what interrupted updates left. */
  sweep(): void {
    for (const name of this.#names())
      if (name.startsWith(".")) this.#disk.remove(join(this.dir, "releases", name));
  }

  keepOnly(versions: readonly string[]): void {
    for (const name of this.#names()) if (!versions.includes(name)) this.discard(name);
  }

  makeFolders(): void {
    this.#disk.makeDir(join(this.dir, "releases"));
  }

  #names(): string[] {
    return readdirSync(join(this.dir, "releases"));
  }
}
