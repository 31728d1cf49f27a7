/**
 * The installer on a machine: which folders are whose, and whom it believes.
 *
 *   ROOT/opt/phantoma                  releases and links
 *   ROOT/var/lib/phantoma/installer    its own: what it remembers, what the verifier trusts; 0700
 *   ROOT/var/lib/phantoma/updates      what the keeper leaves for it: bundle.tar.gz, metadata/, targets/, update.approval
 *   ROOT/var/lib/phantoma/devices      node.pub and genesis, of root; the lists, of the keeper
 *
 * @module
 */
import { chmodSync, existsSync, lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MAX_DOCUMENT_BYTES, type DeviceList } from "@phantoma/crypto";
import {
  DeviceListFolder,
  GENESIS_FILE,
  SEEN_DEVICES_FILE,
} from "../devices/device-list-folder.ts";
import { statePaths } from "../setup/paths.ts";
import { readPublicFile } from "../setup/public-file.ts";
import { Disk, type OnStep } from "./disk.ts";
import { openHost } from "./host.ts";
import { InstallError } from "./install-error.ts";
import { Releases } from "./releases.ts";
import { StandingFile } from "./standing.ts";
import { Installer } from "./update.ts";

/** Beside the installer's own program, in the release that it came with: whom development builds believe. */
const ANCHOR_PATH = fileURLToPath(new URL("../../../anchor.json", import.meta.url));

/** In the folder of updates; the keeper writes it last, and systemd starts the installer for it. */
const APPROVAL_FILE = "update.approval";

export interface RunOptions {
  readonly root?: string;
  readonly anchorPath?: string;
  readonly onStep?: OnStep;
  readonly now?: () => Date;
}

export interface Run {
  recover(): Promise<string | undefined>;
  first(bundlePath: string, sha256: string): Promise<string>;
  /**
   * Only recovers where nothing was left to be installed.
   *
   * @param fromDir absent: what the keeper left
   */
  update(fromDir?: string): Promise<string | undefined>;
  rollback(version: string): Promise<string>;
}

export function openInstaller(options: RunOptions): Run {
  const { root = "/", anchorPath = ANCHOR_PATH, onStep, now = () => new Date() } = options;
  const stateDir = join(root, "var/lib/phantoma");
  const { devicesDir, installerDir: ownDir, updatesDir } = statePaths(stateDir);
  const installDir = join(root, "opt/phantoma");
  const disk = new Disk(onStep);
  disk.makeDir(ownDir);
  chmodSync(ownDir, 0o700);
  const installer = new Installer({
    disk,
    releases: new Releases(installDir, disk),
    standing: new StandingFile(ownDir, disk),
    host: openHost({ installDir, stateDir, hasUnits: options.root === undefined }),
    anchorPath,
    ownDir,
    now,
  });
  return {
    recover: () => installer.recover(),
    first: (bundlePath, sha256) => installer.first(bundlePath, sha256),
    rollback: (version) => installer.rollback(version),
    async update(fromDir = updatesDir) {
      // First of all: what others wrote must not keep an interrupted update from its end.
      const running = await installer.recover();
      const approvalPath = join(fromDir, APPROVAL_FILE);
      if (!existsSync(approvalPath)) return running;
      return installer.update({
        bundlePath: join(fromDir, "bundle.tar.gz"),
        signedDir: fromDir,
        approval: readApproval(approvalPath),
        devices: readDevices(devicesDir, join(ownDir, SEEN_DEVICES_FILE)),
      });
    },
  };
}

/** @throws {@link InstallError} `ERR_NOT_ROOT_OWNED`, `ERR_APPROVAL`: without a list nobody may approve anything */
function readDevices(devicesDir: string, seenPath: string): DeviceList {
  const keyPath = join(devicesDir, "node.pub");
  for (const path of [keyPath, join(devicesDir, GENESIS_FILE)])
    if (lstatSync(path).uid !== process.getuid?.())
      throw new InstallError("ERR_NOT_ROOT_OWNED", { about: path });
  try {
    const node = Buffer.from(readFileSync(keyPath, "ascii"), "hex");
    return new DeviceListFolder(devicesDir, node, seenPath).current;
  } catch (cause) {
    throw new InstallError("ERR_APPROVAL", { about: (cause as Error).message, cause });
  }
}

function readApproval(path: string): Buffer {
  try {
    return readPublicFile(path, MAX_DOCUMENT_BYTES);
  } catch (cause) {
    throw new InstallError("ERR_APPROVAL", { cause });
  }
}
