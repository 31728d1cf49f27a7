/**
 * From a release that lies here to the installer: what an admin approved, or what a signed policy lets through, is copied
 * into the folder that the installer looks into, and the word for it comes last.
 *
 *   herald's folder ──approval, or policy──> updates/ ──update.approval, update.offer──> installer
 *   a device's push ───────────────────────────^
 *
 * The keeper opens no file of a release: the installer verifies all of it again, as root, and an admin's device
 * did before it signed.
 *
 * @module
 */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  activeAdmin,
  CryptoError,
  sameBytes,
  updateApprovalDocument,
  updatePolicyDocument,
  type DeviceList,
  type UpdatePolicy,
  type VerifiedDeviceList,
} from "@phantoma/crypto";
import {
  MAX_HELD_BUNDLES,
  MAX_PUSH_CHUNK_BYTES,
  updateSchema,
  type Update,
  type UpdatePlace,
} from "@phantoma/protocol";
import { compareVersions } from "@phantoma/release";
import type { KeeperRefusal, OrderRefusal, Refusal } from "../ipc/keeper-link.ts";
import type { Log } from "../log/log.ts";
import { storeFaultOf } from "../models/model-store.ts";
import {
  APPROVAL_FILE,
  bundlesIn,
  OFFER_FILE,
  OUTCOME_OF_UPDATE,
  POLICY_FILE,
  type HeldBundle,
} from "../orders/update-files.ts";
import { readPublicFile, writePublicFile } from "../setup/public-file.ts";
import { GivenRelease, metadataMark, readPiece } from "./given-release.ts";
import { orderRefusalOf } from "./order-refusal.ts";

/** An approval is acted on at once; the rest is for a node that is away. */
const MAX_APPROVAL_MS = 7 * 86_400_000;
/** As a standing order: a person signs again once a year. */
const MAX_POLICY_MS = 400 * 86_400_000;
/** How soon the policy notices a release; nobody waits for it. */
const POLL_MS = 2_000;
/** One minute: nobody waits for it, and the herald must not start the installer without end. */
const OFFER_MS = 60_000;
/** A line of JSON. */
const MAX_OUTCOME_BYTES = 1024;
const MAX_ORDER_BYTES = 1024;

export interface UpdatesOptions {
  readonly node: Uint8Array;
  readonly keeperDir: string;
  readonly heraldDir: string;
  readonly updatesDir: string;
  readonly outcomeDir: string;
  /** That run. */
  readonly version: string;
  readonly release: Uint8Array;
  devices(): VerifiedDeviceList;
  readonly log: Log;
}

export class Updates {
  readonly #options: UpdatesOptions;
  readonly #given: GivenRelease;
  readonly #poll: NodeJS.Timeout;
  readonly #counterPath: string;
  #counter: bigint;
  #last: Promise<unknown> = Promise.resolve();
  /** What was offered last, and who vouched for it: the same again is not, and the installer takes nothing twice. */
  #offered: string | undefined;
  /** When; an admin's new policy is answered at once. */
  #offeredAt = Number.NEGATIVE_INFINITY;

  constructor(options: UpdatesOptions) {
    this.#options = options;
    this.#given = new GivenRelease(options.updatesDir);
    this.#counterPath = join(options.keeperDir, "updates");
    this.#counter = readCounter(this.#counterPath);
    this.#poll = setInterval(() => void this.#inTurn(() => this.#goOn()), POLL_MS);
  }

  state(now: number): Update {
    const { version, release, heraldDir, updatesDir } = this.#options;
    const policy = this.#policy(now);
    return {
      version,
      release: Buffer.from(release).toString("hex"),
      fetched: shown(bundlesIn(heraldDir)),
      given: shown(bundlesIn(updatesDir)),
      policy: policy ? { mode: policy.mode, notAfter: policy.notAfter } : null,
      highestCounter: String(this.#counter),
      outcome: this.#outcome(),
    };
  }

  read(place: UpdatePlace, path: string, offset: number): Buffer {
    const { heraldDir, updatesDir } = this.#options;
    const dir = place === "fetched" ? heraldDir : updatesDir;
    return readPiece(dir, path, offset, MAX_PUSH_CHUNK_BYTES);
  }

  /** @returns why nothing changed */
  approve(untrusted: Uint8Array, now: number): Promise<Refusal | undefined> {
    return this.#inTurn(async () => {
      const approval = this.#open(updateApprovalDocument, untrusted, now, MAX_APPROVAL_MS);
      if (typeof approval === "string") return refusedOrder(approval);
      const { heraldDir, updatesDir } = this.#options;
      const sha256 = Buffer.from(approval.release).toString("hex");
      // Any that lies there: a higher version, which nobody has verified, hides none that an admin's device has.
      const isIt = (held: HeldBundle) =>
        held.sha256 === sha256 && held.version === approval.version;
      const fetched = bundlesIn(heraldDir).find(isIt);
      if (!fetched && !bundlesIn(updatesDir).some(isIt)) return "ERR_UPDATE_UNKNOWN";
      this.#remember(approval.counter);
      if (fetched) await this.#given.takeFrom(heraldDir, fetched);
      this.#withdraw();
      writePublicFile(join(updatesDir, APPROVAL_FILE), untrusted);
      return undefined;
    });
  }

  /** @returns why nothing changed */
  submitPolicy(untrusted: Uint8Array, now: number): Promise<Refusal | undefined> {
    return this.#inTurn(async () => {
      const policy = this.#open(updatePolicyDocument, untrusted, now, MAX_POLICY_MS);
      if (typeof policy === "string") return refusedOrder(policy);
      this.#remember(policy.counter);
      this.#withdraw();
      this.#offered = undefined;
      this.#offeredAt = Number.NEGATIVE_INFINITY;
      // It starts the installer too, which remembers that an earlier one does not count any more.
      writePublicFile(join(this.#options.updatesDir, POLICY_FILE), untrusted);
      return undefined;
    });
  }

  /** @returns how many bytes of the file are here, or why none are wanted */
  push(path: string, bytes: number): Promise<number | KeeperRefusal> {
    return this.#inTurn(() => this.#given.begin(path, bytes));
  }

  pushChunk(path: string, offset: number, bytes: Uint8Array): Promise<number | KeeperRefusal> {
    return this.#inTurn(() => this.#given.chunk(path, offset, bytes));
  }

  stop(): void {
    clearInterval(this.#poll);
  }

  /** What the policy lets through: newer than what runs, and once. */
  async #goOn(): Promise<undefined> {
    const { heraldDir, updatesDir, version, log } = this.#options;
    if (performance.now() - this.#offeredAt < OFFER_MS) return;
    const [fetched] = bundlesIn(heraldDir);
    if (!fetched || compareVersions(fetched.version, version) <= 0) return;
    if (this.#policy(Date.now())?.mode !== "automatic") return;
    const offer = `${fetched.sha256} ${metadataMark(heraldDir)}`;
    if (offer === this.#offered) return;
    this.#offered = offer;
    this.#offeredAt = performance.now();
    try {
      await this.#given.takeFrom(heraldDir, fetched);
      this.#withdraw();
      writePublicFile(join(updatesDir, OFFER_FILE), `${fetched.version} ${fetched.sha256}\n`);
      log("update-offered");
    } catch (error) {
      log("update-not-offered", { code: (error as NodeJS.ErrnoException).code ?? "ERR" });
    }
  }

  /** One word at a time lies there for the installer. */
  #withdraw(): void {
    for (const name of [APPROVAL_FILE, OFFER_FILE])
      rmSync(join(this.#options.updatesDir, name), { force: true });
  }

  /** The one in force: whoever signed it is still an admin. */
  #policy(now: number): UpdatePolicy | undefined {
    try {
      const bytes = readPublicFile(join(this.#options.updatesDir, POLICY_FILE), MAX_ORDER_BYTES);
      const policy = openFor(updatePolicyDocument, bytes, this.#options.devices());
      const isOurs = sameBytes(policy.node, this.#options.node);
      return isOurs && policy.notAfter > now ? policy : undefined;
    } catch {
      return undefined;
    }
  }

  #open<T extends { node: Uint8Array; signer: Uint8Array; notAfter: number; counter: bigint }>(
    kind: Openable<T>,
    untrusted: Uint8Array,
    now: number,
    longestMs: number,
  ): T | OrderRefusal {
    try {
      const order = openFor(kind, untrusted, this.#options.devices());
      if (!sameBytes(order.node, this.#options.node)) return "ERR_ORDER_NODE";
      if (order.notAfter <= now) return "ERR_ORDER_EXPIRED";
      if (order.notAfter > now + longestMs) return "ERR_ORDER_TOO_LONG";
      return order.counter > this.#counter ? order : "ERR_ORDER_REPLAYED";
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error;
      return orderRefusalOf(error);
    }
  }

  #outcome(): Update["outcome"] {
    try {
      const path = join(this.#options.outcomeDir, OUTCOME_OF_UPDATE);
      const text = readPublicFile(path, MAX_OUTCOME_BYTES).toString("utf8");
      return updateSchema.shape.outcome.parse(JSON.parse(text));
    } catch {
      return null;
    }
  }

  #remember(counter: bigint): void {
    writePublicFile(this.#counterPath, String(counter));
    this.#counter = counter;
  }

  /** Approvals, pushes and what the policy does never overlap. */
  #inTurn<T>(act: () => Promise<T>): Promise<T | KeeperRefusal> {
    const turn = this.#last.then(act).catch(faultOf);
    this.#last = turn;
    return turn;
  }
}

interface Openable<T> {
  open(untrusted: Uint8Array, findKey: (unverified: T) => Uint8Array | undefined): T;
}

function openFor<T extends { signer: Uint8Array }>(
  kind: Openable<T>,
  untrusted: Uint8Array,
  devices: DeviceList,
): T {
  return kind.open(untrusted, ({ signer }) => activeAdmin(devices, signer)?.signingKey);
}

function refusedOrder(reason: OrderRefusal): Refusal {
  return { code: "ERR_ORDER_REFUSED", reason };
}

function faultOf(error: unknown): KeeperRefusal {
  if ((error as NodeJS.ErrnoException).code === "ERR_DIGEST") return "ERR_DIGEST";
  return storeFaultOf(error) === "ERR_NO_SPACE" ? "ERR_NO_SPACE" : "ERR_STORAGE";
}

function shown(held: readonly HeldBundle[]): Update["fetched"] {
  return held.slice(0, MAX_HELD_BUNDLES).map(({ path, version, sha256, bytes }) => {
    const name = path.slice("targets/".length + sha256.length + 1);
    return { name, version, sha256, bytes };
  });
}

/** @throws when it is there and unreadable: beginning anew would let old orders count again */
function readCounter(path: string): bigint {
  try {
    const text = readFileSync(path, "ascii");
    if (!/^\d{1,20}$/.test(text)) throw new RangeError("the counter of updates is damaged");
    return BigInt(text);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return 0n;
  }
}
