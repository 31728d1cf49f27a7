/**
 * A model host and its CDN beside the node: in the guest, in a network of their own, with certificates of an
 * authority that the guest's fetcher is told to believe. Everything else about the fetcher stays as it is.
 *
 * @module
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TestAuthority } from "../../apps/node/fetcher/test-model-host.ts";
import { bundle } from "../../tools/bundle/release-tree.ts";
import { places } from "../proofs/window/network.ts";
import type { Guest } from "./guest.ts";
import { CURRENT_DIR } from "./install-node.ts";

const PROGRAM = "/opt/phantoma/model-host.js";
const IDENTITY = "/etc/ssl/model-host.json";
const AUTHORITY = "/etc/ssl/test-authority.pem";

const NETWORK = [
  "ip netns add hosts",
  "ip link add cable type veth peer name cable netns hosts",
  `ip addr add ${places.node}/24 dev cable`,
  "ip link set cable up",
  `ip -n hosts addr add ${places.models}/24 dev cable`,
  `ip -n hosts addr add ${places.cdn}/24 dev cable`,
  "ip -n hosts link set cable up",
];

export async function startModelHost(guest: Guest): Promise<void> {
  const authority = await TestAuthority.make();
  const identity = await authority.issue("models.test", "cdn.test");
  const dir = mkdtempSync(join(tmpdir(), "phantoma-model-host-"));
  try {
    bundle("tests/proofs/window/model-host.ts", join(dir, "model-host.js"));
    await guest.copyTo(join(dir, "model-host.js"), PROGRAM);
  } finally {
    rmSync(dir, { recursive: true });
  }
  await guest.check(`umask 077; cat > ${IDENTITY}`, JSON.stringify(identity));
  await guest.check(`cat > ${AUTHORITY}`, authority.pem);
  await guest.check(
    [
      "set -e",
      ...NETWORK,
      "mkdir -p /run/systemd/system/phantoma-fetcher.service.d",
      `printf '[Service]\\nEnvironment=NODE_EXTRA_CA_CERTS=${AUTHORITY}\\n' > /run/systemd/system/phantoma-fetcher.service.d/authority.conf`,
      "systemctl daemon-reload",
      `systemd-run --quiet --unit=model-host -p NetworkNamespacePath=/run/netns/hosts ${CURRENT_DIR}/bin/node ${PROGRAM} ${IDENTITY}`,
    ].join("\n"),
  );
}
