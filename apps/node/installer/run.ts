/**
 * The installer on a machine: which folders are whose, and whom it believes.
 *
 *   ROOT/opt/phantoma                  releases and links
 *   ROOT/var/lib/phantoma/installer    its own: what it remembers, what the verifier trusts; 0700
 *   ROOT/var/lib/phantoma/updates      what the keeper leaves for it: metadata/, targets/ with the bundle; and
 *                                      update.approval, or update.policy with update.offer
 *   ROOT/var/lib/phantoma/outcome      how it ended, and whose licences count, for everybody to read
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
import {
  APPROVAL_FILE,
  OFFER_FILE,
  OUTCOME_OF_UPDATE,
  POLICY_FILE,
} from "../orders/update-files.ts";
import { holdAlone, PATIENCE_SECONDS } from "./alone.ts";
import { hashOf, isSpent, openApproval, type Permission } from "./approval.ts";
import { Disk, type OnStep } from "./disk.ts";
import { openHost } from "./host.ts";
import { InstallError } from "./install-error.ts";
import { bundleName } from "./manifest.ts";
import { openPolicy, parseOffer, permissionBy } from "./policy.ts";
import { Releases } from "./releases.ts";
import { StandingFile } from "./standing.ts";
import { Installer } from "./update.ts";

/** Beside the installer's own program, in the release that it came with: whom development builds believe. */
const ANCHOR_PATH = fileURLToPath(new URL("../../../anchor.json", import.meta.url));

export interface RunOptions {
  readonly root?: string;
  readonly anchorPath?: string;
  readonly onStep?: OnStep;
  readonly now?: () => Date;
  readonly patienceSeconds?: number;
}

export interface Run {
  recover(): Promise<string | undefined>;
  first(bundlePath: string, sha256: string): Promise<string>;
  /**
   * Only recovers where nothing was left to be installed.
   *
   * @param fromDir absent: what the keeper left
   * @param bundlePath absent: among the targets there
   */
  update(fromDir?: string, bundlePath?: string): Promise<string | undefined>;
  rollback(version: string): Promise<string>;
}

/** @throws {@link InstallError} `ERR_BUSY` while another process has one open */
export function openInstaller(options: RunOptions): Run {
  const { root = "/", anchorPath = ANCHOR_PATH, onStep, now = () => new Date() } = options;
  const stateDir = join(root, "var/lib/phantoma");
  const { devicesDir, installerDir: ownDir, updatesDir, outcomeDir } = statePaths(stateDir);
  const installDir = join(root, "opt/phantoma");
  const disk = new Disk(onStep);
  disk.makeDir(ownDir);
  chmodSync(ownDir, 0o700);
  holdAlone(ownDir, options.patienceSeconds ?? PATIENCE_SECONDS);
  const standing = new StandingFile(ownDir, disk);
  const installer = new Installer({
    disk,
    releases: new Releases(installDir, disk),
    standing,
    host: openHost({ installDir, stateDir, hasUnits: options.root === undefined }),
    anchorPath,
    ownDir,
    outcomeDir,
    now,
  });
  /** Remembers its counter. */
  const seePolicy = async (path: string, devices: DeviceList) => {
    const document = readDocument(path, "ERR_POLICY");
    const opened = openPolicy(document, devices, standing.read());
    if (opened.counter > BigInt(standing.read().policyCounter))
      await standing.write({ policyCounter: String(opened.counter) });
    return { document, opened };
  };
  /** What may be installed, unless it led to an end before: it lies there still at every boot. */
  const wanted = async (dir: string): Promise<Permission | undefined> => {
    const at = (name: string) => join(dir, name);
    const names = [APPROVAL_FILE, POLICY_FILE].filter((name) => existsSync(at(name)));
    if (names.length === 0) return undefined;
    const devices = readDevices(devicesDir, join(ownDir, SEEN_DEVICES_FILE));
    // First, whatever else lies there: an earlier policy counts no more.
    const policy = existsSync(at(POLICY_FILE))
      ? await seePolicy(at(POLICY_FILE), devices).catch((error: unknown) => ({ error }))
      : undefined;
    if (existsSync(at(APPROVAL_FILE))) {
      const approval = readDocument(at(APPROVAL_FILE), "ERR_APPROVAL");
      if (isSpent(hashOf(approval), standing.read())) return undefined;
      return openApproval(approval, devices, standing.read(), now().getTime());
    }
    if (policy === undefined) return undefined;
    if ("error" in policy) throw policy.error;
    const offer = existsSync(at(OFFER_FILE))
      ? parseOffer(readDocument(at(OFFER_FILE), "ERR_POLICY"))
      : undefined;
    if (!offer) return undefined;
    const permission = permissionBy(policy.opened, policy.document, offer, now().getTime());
    return isSpent(permission.hash, standing.read()) ? undefined : permission;
  };
  const say = async (outcome: object): Promise<void> => {
    disk.makeDir(outcomeDir);
    const text = JSON.stringify({ ...outcome, at: now().getTime() });
    await disk.replace(join(outcomeDir, OUTCOME_OF_UPDATE), text, 0o644);
  };
  return {
    recover: () => installer.recover(),
    first: (bundlePath, sha256) => installer.first(bundlePath, sha256),
    rollback: (version) => installer.rollback(version),
    async update(fromDir = updatesDir, bundlePath) {
      // First of all: what others wrote must not keep an interrupted update from its end.
      const running = await installer.recover();
      const permission = await wanted(fromDir);
      if (!permission) return running;
      const { version } = permission;
      const sha256 = Buffer.from(permission.release).toString("hex");
      try {
        const runs = await installer.update({
          bundlePath: bundlePath ?? targetPath(fromDir, sha256, version),
          signedDir: fromDir,
          permission,
        });
        await say({ version, sha256, error: null });
        return runs;
      } catch (error) {
        const code = error instanceof InstallError ? error.code : "ERR_UNEXPECTED";
        await say({ version, sha256, error: code }).catch(() => undefined);
        throw error;
      }
    },
  };
}

function targetPath(dir: string, sha256: string, version: string): string {
  return join(dir, "targets", `${sha256}.${bundleName(version)}`);
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

function readDocument(path: string, code: "ERR_APPROVAL" | "ERR_POLICY"): Buffer {
  try {
    return readPublicFile(path, MAX_DOCUMENT_BYTES);
  } catch (cause) {
    throw new InstallError(code, { cause });
  }
}
