/**
 * What is done to a node that stands, over SSH: another release, the one from before, or another identity. Each is a run
 * on the server like a set-up, with its journal; what was agreed to at the set-up, such as the port, is kept.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import {
  followDeviceLists,
  followSuccession,
  nextSeenDevices,
  signSuccession,
  signUpdateApproval,
  type NodeProfile,
  type SeenDevices,
} from "@phantoma/client";
import { isVersion } from "@phantoma/release";
import { upload, type BundleFile } from "./bundle-file.ts";
import { orderSchema, type Order } from "./journal.ts";
import { Link } from "./link.ts";
import { ProvisionError } from "./provision-error.ts";
import { get, put } from "./remote-run.ts";
import {
  installedRelease,
  readIdentity,
  readNode,
  runToEnd,
  type NodeOptions,
  type SetUpNode,
} from "./set-up.ts";
import { shownLists } from "./shown-lists.ts";
import type { RootShell } from "./ssh/root-shell.ts";
import { SETUP_DIR } from "./setup-dir.ts";

export interface KnownNodeOptions extends NodeOptions {
  /** As it was set up from here. */
  readonly known: NodeProfile;
}

export interface UpdateOptions extends KnownNodeOptions {
  readonly bundle: BundleFile;
  readonly version: string;
  /** Signed lists of the release, by their place in its folder, such as `metadata/timestamp.json`. */
  readonly signed: ReadonlyMap<string, Uint8Array>;
}

export interface RotateOptions extends KnownNodeOptions {
  /** The newest device list that this machine saw: the server shows none before it. */
  readonly seen: SeenDevices | undefined;
  /** Keeps what is seen now, before the server has the approval: a later run that finds it there goes by this. */
  readonly remember?: (seen: SeenDevices) => void;
}

/** Bytes of an order. */
const MAX_ORDER_BYTES = 4_096;
/** Milliseconds: as long as the largest bundle takes over a slow line. */
const APPROVAL_MS = 21_600_000;
/** Bytes: names of releases, of which two are kept. */
const MAX_NAMES_BYTES = 4_096;

/**
 * Through the installer that is installed: it verifies the release for itself, and asks for an admin's approval, which
 * this device signs. Identity, devices, vault and models stay.
 *
 * @throws {@link ProvisionError}
 */
export async function update(options: UpdateOptions): Promise<NodeProfile> {
  const { bundle, hear } = options;
  return during(options, async (link) => {
    await link.ask(async (shell) => {
      await sameNode(shell, options);
      await upload(shell, bundle, (sent, of) => hear({ kind: "upload", sent, of }));
      await shell.run(
        `rm -rf ${SETUP_DIR}/update; mkdir -p -m 700 ${SETUP_DIR}/update/metadata ${SETUP_DIR}/update/targets`,
      );
      for (const [name, bytes] of options.signed) await put(shell, `update/${name}`, bytes);
      await put(shell, "update/update.approval", await approvalFor(shell, options));
      await changeOrder(shell, { sha256: bundle.sha256 });
    });
    await runToEnd(link, "install", options);
    return link.ask((shell) => sameNode(shell, options));
  });
}

/** @throws {@link ProvisionError} `ERR_NO_EARLIER` */
export async function rollBack(options: KnownNodeOptions): Promise<NodeProfile> {
  return during(options, async (link) => {
    await link.ask(async (shell) => {
      await sameNode(shell, options);
      await changeOrder(shell, { rollbackTo: await earlierRelease(shell) });
    });
    await runToEnd(link, "rollback", options);
    return link.ask((shell) => sameNode(shell, options));
  });
}

/**
 * The node gets another key, for which this device, an admin's, signs. Devices, vault, models and release stay; what was
 * ordered under the old key, such as reporting, has to be ordered again.
 *
 * Where the device does not sign, what was prepared is given up again; nothing was changed then.
 *
 * @returns the profile, which keeps the old key too, and what was seen of the first list under the new one
 * @throws {@link ProvisionError} `ERR_NODE_CHANGED`, `ERR_STEP_FAILED`; `ClientError` `ERR_FORBIDDEN`, `ERR_NODE_IDENTITY`
 */
export async function rotateKey(options: RotateOptions) {
  const { known, seen, device, remember } = options;
  return during(options, async (link) => {
    await link.ask(async (shell) => {
      if ((await successionFrom(shell, known)) === undefined) await sameNode(shell, options);
      await changeOrder(shell, { rotateFrom: known.nodeKey });
    });
    let newest = seen;
    const approve: NonNullable<NodeOptions["approve"]> = async ({ nodeKey, devices }) => {
      const lists = shownLists(link, Buffer.from(devices, "base64"));
      const current = await followDeviceLists(lists, known.nodeKey, seen);
      const signed = signSuccession(device, current, Buffer.from(nodeKey, "hex"), Date.now());
      // This device may be an admin only since it last looked.
      newest = nextSeenDevices(seen, current);
      remember?.(newest);
      return signed;
    };
    await runToEnd(link, "rotate", { ...options, approve });
    return link.ask(async (shell) => {
      const succession = await successionFrom(shell, known);
      if (succession === undefined) throw new ProvisionError("ERR_NODE_CHANGED");
      const followed = followSuccession(known, succession, newest);
      return {
        ...followed,
        profile: await sameNode(shell, { ...options, known: followed.profile }),
      };
    });
  });
}

/** What the node's old key says of the one after it. */
function successionFrom(shell: RootShell, { nodeKey }: NodeProfile): Promise<Buffer | undefined> {
  const path = `/var/lib/phantoma/devices/${nodeKey}.succession`;
  return get(shell, path, MAX_SUCCESSION_BYTES);
}

/** Bytes; one has 266. */
const MAX_SUCCESSION_BYTES = 1_024;

/** The node gets other keys, and this device as its only one. */
export async function resetIdentity(options: NodeOptions): Promise<SetUpNode> {
  const resetId = randomBytes(16).toString("hex");
  return during(options, async (link) => {
    await link.ask((shell) => changeOrder(shell, { resetId }));
    await runToEnd(link, "reset", options);
    return link.ask((shell) => readNode(shell, options));
  });
}

async function during<T>(options: NodeOptions, work: (link: Link) => Promise<T>): Promise<T> {
  const link = new Link(options.connect, (isAway) => options.hear({ kind: "away", isAway }));
  try {
    return await work(link);
  } finally {
    link.hangUp();
  }
}

/** The profile of a node that is still the one we know. @throws {@link ProvisionError} `ERR_NODE_CHANGED` */
async function sameNode(shell: RootShell, { known }: KnownNodeOptions): Promise<NodeProfile> {
  const { nodeKey } = await readIdentity(shell);
  if (nodeKey !== known.nodeKey) throw new ProvisionError("ERR_NODE_CHANGED");
  return { ...known, release: await installedRelease(shell) };
}

/** @throws {@link ProvisionError} `ERR_NOT_INSTALLED` */
async function changeOrder(shell: RootShell, change: Partial<Order>): Promise<void> {
  const untrusted = await get(shell, `${SETUP_DIR}/order.json`, MAX_ORDER_BYTES);
  if (untrusted === undefined) throw new ProvisionError("ERR_NOT_INSTALLED");
  const { sha256, port } = parseOrder(untrusted);
  const left = {
    mayReboot: false,
    mayOpenPort: false,
    mayUpdateKernel: false,
    mayHardenSsh: false,
  };
  const order: Order = { version: 1, sha256, port, ...left, ...change };
  await put(shell, "order.json", Buffer.from(JSON.stringify(order)));
}

function parseOrder(untrusted: Uint8Array): Order {
  try {
    return orderSchema.parse(JSON.parse(Buffer.from(untrusted).toString("utf8")));
  } catch (cause) {
    throw new ProvisionError("ERR_JOURNAL", { about: "its order", cause });
  }
}

/** As through the tunnel; what was seen is here what the installer says that it has seen. */
async function approvalFor(
  shell: RootShell,
  { device, bundle: { sha256 }, version, known }: UpdateOptions,
): Promise<Uint8Array> {
  const script = `date +%s%3N; cat /var/lib/phantoma/installer/standing.json 2>/dev/null || true`;
  const { code, stdout } = await shell.run(script, { maxOutputBytes: MAX_STANDING_BYTES });
  const [, time, standing = ""] = /^(\d{13})\n(.*)$/s.exec(stdout.toString("latin1")) ?? [];
  const highestCounter = standing === "" ? "0" : /"counter":"(\d{1,20})"/.exec(standing)?.[1];
  if (code !== 0 || time === undefined || highestCounter === undefined)
    throw new ProvisionError("ERR_JOURNAL", { about: "what its installer has seen" });
  const node = Buffer.from(known.nodeKey, "hex");
  const order = { node, highestCounter, lifetimeMs: APPROVAL_MS, nodeTime: Number(time) };
  return signUpdateApproval(device, { ...order, version, sha256 });
}

/** A counter, a digest and a version. */
const MAX_STANDING_BYTES = 4_096;

/** The one that is kept beside the current one. */
async function earlierRelease(shell: RootShell): Promise<string> {
  const script = `cd /opt/phantoma 2>/dev/null || exit 3; basename "$(readlink current)"; ls releases`;
  const { code, stdout } = await shell.run(script, { maxOutputBytes: MAX_NAMES_BYTES });
  if (code === 3) throw new ProvisionError("ERR_NOT_INSTALLED");
  const [current, ...kept] = stdout.toString("latin1").trim().split("\n");
  const earlier = kept.find((name) => name !== current && isVersion(name));
  if (code !== 0 || earlier === undefined) throw new ProvisionError("ERR_NO_EARLIER");
  return earlier;
}
