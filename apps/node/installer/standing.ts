/**
 * What the installer remembers beside the releases: the last approval or policy, whether it is used up, and the highest version
 * that ever proved itself. One file, replaced as a whole.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Disk } from "./disk.ts";
import { InstallError } from "./install-error.ts";
import { versionSchema } from "./manifest.ts";

const standingSchema = z.strictObject({
  /** Of the highest approval seen; in decimal, as JSON has no numbers of 64 bits. */
  counter: z.string().regex(/^(?:0|[1-9]\d{0,19})$/),
  /** Of the highest policy seen. */
  policyCounter: z
    .string()
    .regex(/^(?:0|[1-9]\d{0,19})$/)
    .default("0"),
  /** The name of what let the last release be installed: an approval's SHA-256, or a policy's with the release. */
  approval: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable(),
  /** It led to an end, good or bad; until then it may be shown again after a power cut. */
  isUsed: z.boolean(),
  /** No release below it is installed again. */
  floor: versionSchema.nullable(),
});

export type Standing = z.infer<typeof standingSchema>;

const FIRST: Standing = {
  counter: "0",
  policyCounter: "0",
  approval: null,
  isUsed: true,
  floor: null,
};

export class StandingFile {
  readonly #path: string;
  readonly #disk: Disk;

  /** @param dir the installer's own, 0700 */
  constructor(dir: string, disk: Disk) {
    this.#path = join(dir, "standing.json");
    this.#disk = disk;
  }

  /** @throws {@link InstallError} `ERR_STATE`: a file that cannot be read is not a first start */
  read(): Standing {
    try {
      return standingSchema.parse(JSON.parse(readFileSync(this.#path, "utf8")));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return FIRST;
      throw new InstallError("ERR_STATE", { about: "standing.json", cause });
    }
  }

  async write(change: Partial<Standing>): Promise<void> {
    await this.#disk.replace(this.#path, JSON.stringify({ ...this.read(), ...change }));
  }
}
