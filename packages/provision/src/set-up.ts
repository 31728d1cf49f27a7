/**
 * A whole set-up, from a server that is fit to a node that this device may talk to. It can be begun again at any point,
 * by this program or another: what is there is found, and what is right is left alone.
 *
 *   upload ──> run ──devices wanted──> sign the first list ──> run ──reboot wanted──> reboot ──> run ──> installed
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import {
  ControlSession,
  signFirstDeviceList,
  withRetry,
  type NodeProfile,
  type SignedSuccession,
} from "@phantoma/client";
import {
  documentHash,
  MAX_DOCUMENT_BYTES,
  openFirstDeviceList,
  sameBytes,
  type DeviceIdentity,
  type VerifiedDeviceList,
} from "@phantoma/crypto";
import { upload, type BundleFile } from "./bundle-file.ts";
import {
  identitySchema,
  MAX_LIST_BASE64,
  nextKeySchema,
  type JournalEvent,
  type NextKey,
  type NodeIdentityText,
  type Order,
  type Work,
} from "./journal.ts";
import { Link } from "./link.ts";
import { ProvisionError } from "./provision-error.ts";
import {
  beginRun,
  get,
  isRunning,
  JournalReader,
  put,
  stage,
  stopIf,
  type End,
} from "./remote-run.ts";
import type { RootShell } from "./ssh/root-shell.ts";
import type { Choices } from "./step-names.ts";
import { SETUP_DIR } from "./setup-dir.ts";

export type SetUpEvent =
  | JournalEvent
  | { readonly kind: "upload"; readonly sent: number; readonly of: number }
  /** Whether the server is out of reach; what runs there goes on. */
  | { readonly kind: "away"; readonly isAway: boolean }
  | { readonly kind: "rebooting" };

export interface SetUpOptions extends NodeOptions, Partial<Omit<Choices, "mayHardenSsh">> {
  readonly bundle: BundleFile;
}

/** Of whatever is done to a node. */
export interface NodeOptions {
  /** Signs in; called again after a cut. */
  readonly connect: () => Promise<RootShell>;
  /** As devices reach it. */
  readonly host: string;
  readonly port: number;
  /** Where another port leads to it. */
  readonly reachPort?: number;
  /** Signs in by a key, anew every time. Absent: SSH is left as it is. */
  readonly hardenSsh?: { readonly connectByKey: () => Promise<RootShell> };
  readonly name: string;
  readonly device: DeviceIdentity;
  readonly deviceName: string;
  /** In hex, where this node was set up from here before. */
  readonly knownNodeKey?: string;
  /** An admin's device signs for the node's next key. */
  readonly approve?: (asked: NextKey) => Promise<Pick<SignedSuccession, "list" | "approval">>;
  readonly hear: (event: SetUpEvent) => void;
  readonly signal?: AbortSignal;
}

export interface SetUpNode {
  readonly profile: NodeProfile;
  readonly devices: VerifiedDeviceList;
}

const CURRENT_DIGEST = "/opt/phantoma/current/bundle.sha256";
const FIRST_LIST = "/var/lib/phantoma/devices/00000001.list";
/** A run that is cut off again and again does not end by itself. */
const MAX_RUNS = 12;
/** Bytes: a certificate and two keys have two thousand. */
const MAX_IDENTITY_BYTES = 16_384;
const RELEASE_DIGEST_BYTES = 65;

/** @throws {@link ProvisionError} */
export async function setUp(options: SetUpOptions): Promise<SetUpNode> {
  const { hear, bundle, signal } = options;
  const link = new Link(options.connect, (isAway) => hear({ kind: "away", isAway }));
  try {
    await link.ask(async (shell) => {
      if (await isRunning(shell)) return;
      if ((await installedDigest(shell)) !== bundle.sha256) {
        await upload(shell, bundle, (sent, of) => {
          stopIf(signal);
          hear({ kind: "upload", sent, of });
        });
        await stage(shell);
      }
      await put(shell, "order.json", Buffer.from(JSON.stringify(orderOf(options))));
    });
    await runToEnd(link, "install", options);
    const node = await link.ask((shell) => readNode(shell, options));
    await link.ask((shell) =>
      shell.run(`rm -rf ${SETUP_DIR}/programs ${SETUP_DIR}/bundle.tar.gz ${SETUP_DIR}/bundle.part`),
    );
    return node;
  } finally {
    link.hangUp();
  }
}

/**
 * The last proof: this device reaches the node from here, through the tunnel.
 *
 * @throws {@link ProvisionError} `ERR_INBOUND_BLOCKED`; `ClientError` for anything else
 */
export async function reach(
  { profile }: Pick<SetUpNode, "profile">,
  device: DeviceIdentity,
): Promise<void> {
  try {
    const session = await withRetry(() => ControlSession.open({ profile, device }), {
      attempts: REACH_ATTEMPTS,
    });
    session.close();
  } catch (error) {
    if ((error as { code?: string }).code !== "ERR_UNREACHABLE") throw error;
    throw new ProvisionError("ERR_INBOUND_BLOCKED", { about: profile.url, cause: error });
  }
}

/** A minute; the node has just started. */
const REACH_ATTEMPTS = 12;

/** Starts runs until one ends well, and gives each what it wanted. */
export async function runToEnd(link: Link, what: Work, options: NodeOptions): Promise<void> {
  for (let runs = 0; ; runs += 1) {
    stopIf(options.signal);
    if (runs === MAX_RUNS) throw new ProvisionError("ERR_STEP_STALLED");
    const end = await runOnce(link, what, options);
    if (end === "devices") await signDevices(link, options);
    if (end === "succession") await approveNextKey(link, options);
    if (end === "reboot") await reboot(link, options.hear);
    if (end === "key") await proveKey(link, options, "ssh-key-proven");
    if (end === "sign-in") await proveKey(link, options, "ssh-confirmed");
    if (end === "installed") return;
    if (end === "interrupted") await link.ask(assertRoom);
  }
}

/** A run whose journal finds no room ends without a word. @throws {@link ProvisionError} `ERR_HOST_FULL` */
async function assertRoom(shell: RootShell): Promise<void> {
  const { stdout } = await shell.run(`df -Pk ${SETUP_DIR} | tail -n1 | tr -s ' ' | cut -d' ' -f4`);
  const text = stdout.toString("latin1").trim();
  if (/^\d{1,15}$/.test(text) && Number(text) < MIN_ROOM_KIB)
    throw new ProvisionError("ERR_HOST_FULL");
}

/** A journal and a few small files. */
const MIN_ROOM_KIB = 256;

/** From its start, or from where a run that is under way began. */
export async function runOnce(link: Link, what: Work, { hear, signal }: NodeOptions): Promise<End> {
  const from = await link.ask((shell) => beginRun(shell, what));
  const reader = new JournalReader(from);
  return link.ask((shell) => reader.follow(shell, hear, signal));
}

/** Undoes a set-up, whole or half, after its list was agreed to. @throws {@link ProvisionError} */
export async function takeAway(
  connect: () => Promise<RootShell>,
  hear: (event: SetUpEvent) => void,
): Promise<void> {
  const link = new Link(connect, (isAway) => hear({ kind: "away", isAway }));
  try {
    for (let runs = 0; runs < MAX_RUNS; runs += 1) {
      const from = await link.ask((shell) => beginRun(shell, "uninstall"));
      const reader = new JournalReader(from);
      if ((await link.ask((shell) => reader.follow(shell, hear))) === "uninstalled") return;
    }
    throw new ProvisionError("ERR_STEP_STALLED");
  } finally {
    link.hangUp();
  }
}

function orderOf(options: SetUpOptions): Order {
  const { bundle, port, mayReboot = true, mayOpenPort = true, mayUpdateKernel = false } = options;
  const mayHardenSsh = options.hardenSsh !== undefined;
  const choices = { mayReboot, mayOpenPort, mayUpdateKernel, mayHardenSsh };
  return { version: 1, sha256: bundle.sha256, port, ...choices };
}

/** Says to the server that a key has signed in just now, on a connection of its own. */
async function proveKey(link: Link, { hardenSsh }: NodeOptions, file: string): Promise<void> {
  for (let tries = 1; ; tries += 1)
    try {
      const shell = await hardenSsh!.connectByKey();
      await put(shell, file, Buffer.of()).finally(() => shell.close());
      return link.hangUp();
    } catch (cause) {
      if (tries === KEY_TRIES) throw new ProvisionError("ERR_SSH_HARDENING", { cause });
      await sleep(KEY_RETRY_MS);
    }
}

/** A server that reads its settings anew refuses for a moment. */
const KEY_TRIES = 5;
const KEY_RETRY_MS = 2_000;

async function signDevices(link: Link, { device, deviceName }: NodeOptions): Promise<void> {
  const { nodeKey } = await link.ask(readIdentity);
  const { list } = signFirstDeviceList(device, deviceName, Buffer.from(nodeKey, "hex"), Date.now());
  await link.ask((shell) => put(shell, "devices-1.list", list));
}

/**
 * Where the device does not sign, what was prepared is given up again.
 *
 * @throws {@link ProvisionError} `ERR_JOURNAL`, or what the approval throws
 */
async function approveNextKey(link: Link, options: NodeOptions): Promise<void> {
  const { approve } = options;
  const untrusted = await link.ask((shell) => get(shell, NEXT_KEY, MAX_NEXT_KEY_BYTES));
  const asked = nextKeySchema.safeParse(parsedJson(untrusted));
  if (!asked.success || approve === undefined)
    throw new ProvisionError("ERR_JOURNAL", { about: "the node's next key" });
  const { list, approval } = await approve(asked.data).catch(async (error: unknown) => {
    await runOnce(link, "keep-key", options);
    throw error;
  });
  await link.ask(async (shell) => {
    await put(shell, "next/approval", approval);
    await put(shell, "next/devices-1.list", list);
  });
}

const NEXT_KEY = `${SETUP_DIR}/next/asked.json`;
/** Bytes: a list and a key. */
const MAX_NEXT_KEY_BYTES = MAX_LIST_BASE64 + 1_024;

function parsedJson(untrusted: Buffer | undefined): unknown {
  try {
    return JSON.parse(untrusted?.toString("utf8") ?? "");
  } catch {
    return undefined;
  }
}

async function reboot(link: Link, hear: (event: SetUpEvent) => void): Promise<void> {
  const before = await link.ask(bootId);
  hear({ kind: "rebooting" });
  // The answer may not come: that is what was asked for.
  await link.ask((shell) => shell.run("systemctl --no-block reboot").catch(() => undefined));
  for (;;) {
    await sleep(BOOT_POLL_MS);
    if ((await link.ask(bootId)) !== before) return;
  }
}

const BOOT_POLL_MS = 2_000;

async function bootId(shell: RootShell): Promise<string> {
  return (await shell.run("cat /proc/sys/kernel/random/boot_id")).stdout.toString("latin1").trim();
}

async function installedDigest(shell: RootShell): Promise<string | undefined> {
  return (await get(shell, CURRENT_DIGEST, RELEASE_DIGEST_BYTES))?.toString("latin1").trim();
}

/** @throws {@link ProvisionError} `ERR_NOT_INSTALLED` */
export async function installedRelease(shell: RootShell): Promise<string> {
  const digest = await installedDigest(shell);
  if (!/^[0-9a-f]{64}$/.test(digest ?? "")) throw new ProvisionError("ERR_NOT_INSTALLED");
  return digest!;
}

/** @throws {@link ProvisionError} `ERR_JOURNAL` */
export async function readIdentity(shell: RootShell): Promise<NodeIdentityText> {
  const untrusted = await get(shell, `${SETUP_DIR}/identity.json`, MAX_IDENTITY_BYTES);
  try {
    return identitySchema.parse(JSON.parse(untrusted?.toString("utf8") ?? ""));
  } catch (cause) {
    throw new ProvisionError("ERR_JOURNAL", { about: "the node's identity", cause });
  }
}

/** What the device keeps of the node, all of it from the verified channel. */
export async function readNode(shell: RootShell, options: NodeOptions): Promise<SetUpNode> {
  const { device, host, port, reachPort = port, name, knownNodeKey } = options;
  const identity = await readIdentity(shell);
  if (knownNodeKey !== undefined && knownNodeKey !== identity.nodeKey)
    throw new ProvisionError("ERR_NODE_CHANGED");
  const list = await get(shell, FIRST_LIST, MAX_DOCUMENT_BYTES);
  const devices = openList(list, identity.nodeKey);
  const isOurs = devices?.devices.some(({ signingKey }) =>
    sameBytes(signingKey, device.signing.publicKey),
  );
  if (devices === undefined || isOurs !== true) throw new ProvisionError("ERR_OTHER_OWNER");
  const url = `wss://${host.includes(":") ? `[${host}]` : host}:${reachPort}`;
  const release = await installedRelease(shell);
  return {
    profile: { name, url, ...identity, starter: "systemd", policy: "enforced", release },
    devices,
  };
}

function openList(untrusted: Buffer | undefined, nodeKey: string): VerifiedDeviceList | undefined {
  if (untrusted === undefined) return undefined;
  try {
    return openFirstDeviceList(untrusted, Buffer.from(nodeKey, "hex"), documentHash(untrusted));
  } catch {
    return undefined;
  }
}
