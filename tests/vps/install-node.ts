/**
 * Puts a node into the guest, in the order that provisioning will: release, users, folders, units,
 * identity, first device, start.
 *
 * @module
 */
import { basename } from "node:path";
import { signFirstDeviceList, type NodeProfile } from "@phantoma/client";
import type { DeviceIdentity, VerifiedDeviceList } from "@phantoma/crypto";
import type { Model } from "@phantoma/protocol";
import type { Guest } from "./guest.ts";
import { copyTree, RUNTIME_DIR } from "./booted-guest.ts";
import { makeReleaseTree, makeRuntimeTree } from "../../tools/bundle/release-tree.ts";

/** Where a node's gateway listens in the guest; ask for it in `GuestOptions.ports`. */
export const NODE_PORT = 7443;

const RELEASE_DIR = "/opt/phantoma/releases/test";
export const CURRENT_DIR = "/opt/phantoma/current";
const STATE_DIR = "/var/lib/phantoma";

/** In the order of their start. */
export const ENABLED = [
  "phantoma-hold.service",
  "phantoma-warden.service",
  "phantoma-keeper.service",
  "phantoma-worker.socket",
  "phantoma-clerk.socket",
  "phantoma-fetcher.path",
  "phantoma-herald.path",
  "phantoma-gateway.service",
  "phantoma-doctor.timer",
] as const;

export interface InstalledNode {
  readonly profile: NodeProfile;
  readonly models: readonly Model[];
  readonly devices: VerifiedDeviceList;
}

export interface InstallOptions {
  readonly device: DeviceIdentity;
  /** Model files of this machine. */
  readonly models: readonly string[];
  /** Further flags of the gateway, such as `--warm 1`. */
  readonly gatewayFlags?: string;
  /** Tells people what is going on. */
  readonly say?: (text: string) => void;
}

/** Installs and starts a node; faster on a guest of `bootedGuest`, which has Node already. */
export async function installNode(guest: Guest, options: InstallOptions): Promise<InstalledNode> {
  const { device, say = () => undefined } = options;
  say("  copying the release");
  await copyRelease(guest);
  say("  users, folders, units");
  await installUnits(guest, options.gatewayFlags ?? "");
  say("  identity and first device");
  const { nodeKey, wardenKey, tlsCertificate } = await setup(guest, "init");
  const node = Buffer.from(nodeKey, "hex");
  const first = signFirstDeviceList(device, "test", node, Date.now());
  await guest.check("cat > /var/tmp/devices-1.list", Buffer.from(first.list));
  await setup(guest, "pin-devices --list /var/tmp/devices-1.list");
  const models: Model[] = [];
  for (const path of options.models) {
    const name = basename(path, ".gguf");
    await guest.copyTo(path, "/var/tmp/model.gguf");
    models.push(await setup(guest, `add-model --file /var/tmp/model.gguf --name '${name}'`));
  }
  await guest.check(
    [
      `chown -R phantoma-keeper: ${STATE_DIR}/keeper ${STATE_DIR}/models`,
      `chown -R phantoma-gateway: ${STATE_DIR}/gateway`,
      `chown -R phantoma-warden: ${STATE_DIR}/warden`,
      "rm -f /var/tmp/model.gguf /var/tmp/devices-1.list",
    ].join(" && "),
  );
  say("  starting");
  await startNode(guest);
  return {
    profile: {
      name: "vps",
      url: `wss://127.0.0.1:${guest.port(NODE_PORT)}`,
      nodeKey,
      wardenKey,
      tlsCertificate,
      starter: "systemd",
      policy: "enforced",
      // An installed tree that nobody signed.
      release: "00".repeat(32),
    },
    models,
    devices: first.verified,
  };
}

/** Starts every unit, now and at every boot. */
export async function startNode(guest: Guest): Promise<void> {
  await guest.check(`systemctl enable --quiet ${ENABLED.join(" ")}`);
  for (const unit of ENABLED) {
    const { code, stderr } = await guest.ssh(`systemctl start ${unit}`);
    if (code === 0) continue;
    const why = await guest.ssh(
      `systemctl status --no-pager --lines=0 ${unit}; journalctl --no-pager -n 20 -u ${unit}; ` +
        `journalctl --namespace=phantoma --no-pager -n 20`,
    );
    throw new Error(`${unit} did not start: ${stderr}\n${why.stdout}`);
  }
}

async function copyRelease(guest: Guest): Promise<void> {
  await copyTree(guest, makeReleaseTree, RELEASE_DIR);
  const hasRuntime = (await guest.ssh(`test -d ${RUNTIME_DIR}`)).code === 0;
  if (!hasRuntime) await copyTree(guest, makeRuntimeTree, RUNTIME_DIR);
  await guest.check(
    `cp -al ${RUNTIME_DIR}/. ${RELEASE_DIR}/ && ln -sfn ${RELEASE_DIR} ${CURRENT_DIR}`,
  );
}

async function installUnits(guest: Guest, gatewayFlags: string): Promise<void> {
  const units = `${CURRENT_DIR}/apps/node/units`;
  await guest.check(
    [
      "set -e",
      "mkdir -p /etc/phantoma /etc/sysusers.d /etc/tmpfiles.d /etc/sysctl.d /etc/systemd/sleep.conf.d",
      `cp ${units}/*.service ${units}/*.socket ${units}/*.slice ${units}/*.path ${units}/*.timer /etc/systemd/system/`,
      `cp ${units}/phantoma.sysusers.conf /etc/sysusers.d/phantoma.conf`,
      `cp ${units}/phantoma.tmpfiles.conf /etc/tmpfiles.d/phantoma.conf`,
      `cp ${units}/phantoma.journald.conf /etc/systemd/journald@phantoma.conf`,
      `cp ${units}/phantoma.sysctl.conf /etc/sysctl.d/90-phantoma.conf`,
      `cp ${units}/phantoma.sleep.conf /etc/systemd/sleep.conf.d/phantoma.conf`,
      "/lib/systemd/systemd-sysctl /etc/sysctl.d/90-phantoma.conf",
      "systemd-sysusers /etc/sysusers.d/phantoma.conf",
      "systemd-tmpfiles --create /etc/tmpfiles.d/phantoma.conf",
      "systemctl daemon-reload",
      "cat > /etc/phantoma/gateway.env",
    ].join("\n"),
    `PHANTOMA_PORT=${NODE_PORT}\nPHANTOMA_GATEWAY_FLAGS=${gatewayFlags}\n`,
  );
}

async function setup(guest: Guest, command: string) {
  const entry = `${CURRENT_DIR}/apps/node/setup/main.js`;
  return JSON.parse(
    await guest.check(`${CURRENT_DIR}/bin/node ${entry} ${command} --state ${STATE_DIR}`),
  );
}
