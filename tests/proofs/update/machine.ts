/**
 * A machine with a node on it, in a folder: releases, state with keys, and whoever wants to install something.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import {
  bundleName,
  checkTree,
  filesBelow,
  MANIFEST_FILE,
  parseManifest,
  type Manifest,
} from "../../../apps/node/installer/manifest.ts";
import { Releases } from "../../../apps/node/installer/releases.ts";
import { Disk } from "../../../apps/node/installer/disk.ts";
import { updateApprovalDocument, type DeviceIdentity } from "@phantoma/crypto";
import type { Bundle } from "../../../tools/bundle/bundle.ts";

export interface Outcome {
  readonly version?: string;
  readonly error?: string;
  readonly about?: string;
  readonly steps?: number;
  readonly wasCut: boolean;
}

export interface Offer {
  readonly bundle: Bundle;
  readonly device: DeviceIdentity;
  readonly node: Uint8Array;
  readonly counter: bigint;
  readonly notAfter?: number;
  /** What was published: `metadata` and `targets`. */
  readonly signedDir: string;
  /** What the quorum and the admin signed, where it is not the bundle's. */
  readonly signedVersion?: string;
  /** What is delivered, where it is not the bundle. */
  readonly delivered?: string;
}

export class Machine {
  readonly root: string;
  readonly #program: string;

  /** @param program the compiled `run-installer.ts` */
  constructor(root: string, program: string) {
    this.root = root;
    this.#program = program;
  }

  get stateDir(): string {
    return join(this.root, "var/lib/phantoma");
  }

  /** The same machine once more. */
  copyTo(root: string): Machine {
    cpSync(this.root, root, { recursive: true, verbatimSymlinks: true });
    return new Machine(root, this.#program);
  }

  run(...args: string[]): Outcome {
    const { stdout, stderr, signal } = spawnSync(
      process.execPath,
      [this.#program, this.root, ...args],
      {
        encoding: "utf8",
      },
    );
    if (signal === "SIGKILL") return { wasCut: true };
    if (stdout === "") throw new Error(stderr);
    return { ...(JSON.parse(stdout) as Outcome), wasCut: false };
  }

  /** What the keeper leaves for the installer. */
  offer(offer: Offer): void {
    const { bundle, device, node, counter, signedDir } = offer;
    const { notAfter = Date.now() + 600_000, signedVersion: version = bundle.manifest.version } =
      offer;
    const dir = join(this.stateDir, "updates");
    rmSync(dir, { recursive: true, force: true });
    cpSync(signedDir, dir, { recursive: true });
    mkdirSync(join(dir, "targets"), { recursive: true });
    const name = `${bundle.sha256}.${bundleName(version)}`;
    copyFileSync(offer.delivered ?? bundle.path, join(dir, "targets", name));
    const { publicKey: signer, privateKey } = device.signing;
    const release = Buffer.from(bundle.sha256, "hex");
    const fields = { node, counter, notAfter, signer, release, version };
    writeFileSync(join(dir, "update.approval"), updateApprovalDocument.sign(fields, privateKey));
  }

  /** Which release each link names. */
  links(): { current: string | undefined; proven: string | undefined } {
    const releases = this.#releases();
    return { current: releases.read("current"), proven: releases.read("proven") };
  }

  /** The current release, every byte of it as its manifest says. */
  async wholeCurrent(): Promise<string> {
    const dir = join(this.root, "opt/phantoma/current");
    const manifest: Manifest = parseManifest(readFileSync(join(dir, MANIFEST_FILE), "utf8"));
    await checkTree(dir, manifest);
    return manifest.version;
  }

  /** Digest over names, modes and bytes of what no update may touch. */
  data(): string {
    const hash = createHash("sha256");
    for (const path of filesBelow(this.stateDir).sort()) {
      if (/^(?:installer|updates|outcome)\//.test(path)) continue;
      const { mode, uid, mtimeMs } = lstatSync(join(this.stateDir, path));
      hash
        .update(`${path} ${mode} ${uid} ${mtimeMs}\n`)
        .update(readFileSync(join(this.stateDir, path)));
    }
    return hash.digest("hex");
  }

  names(): string[] {
    return filesBelow(join(this.root, "opt/phantoma"));
  }

  #releases(): Releases {
    return new Releases(join(this.root, "opt/phantoma"), new Disk());
  }
}
