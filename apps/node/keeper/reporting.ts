/**
 * What this node tells a control plane: composed and signed here, carried by the herald, and off until an admin's
 * standing order says to whom.
 *
 *   silent ──standing order──> reporting ──its end, an order without a place, its admin revoked──> silent
 *
 * The order file and the heartbeat file exist exactly while something is reported.
 *
 * @module
 */
import { randomBytes, randomInt } from "node:crypto";
import { lstatSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  activeAdmin,
  addressText,
  CryptoError,
  documentHash,
  heartbeatDocument,
  sameBytes,
  standingOrderDocument,
  type Heartbeat,
  type NodeIdentity,
  type StandingOrder,
  type VerifiedDeviceList,
} from "@phantoma/crypto";
import {
  heartbeatOutcomes,
  MAX_ANSWER_BODY_BYTES,
  openAnswerBody,
  ProtocolError,
  type HeartbeatOutcome,
  type Reporting as ReportingState,
} from "@phantoma/protocol";
import { z } from "zod";
import type { OrderRefusal } from "../ipc/keeper-link.ts";
import type { Log } from "../log/log.ts";
import { namesIn } from "../orders/update-files.ts";
import {
  ANSWER_FILE,
  HEARTBEAT_FILE,
  LICENSED_FILE,
  OUTCOME_FILE,
  STANDING_FILE,
} from "../setup/paths.ts";
import { readPublicFile, writePublicFile } from "../setup/public-file.ts";
import { listedLicenceKeys } from "./licence-keys.ts";
import { Licences, standingOf } from "./licences.ts";
import { orderRefusalOf } from "./order-refusal.ts";

/** Often enough to know within the hour that a node is gone; 96 requests of 200 bytes a day. */
export const HEARTBEAT_MS = 15 * 60_000;
/** A fifth either way, so that a fleet that was started together does not ask together. */
const JITTER = 0.2;
/** A person signs again once a year; the rest is for being late. */
export const MAX_STANDING_MS = 400 * 86_400_000;
/** How soon an answer is looked at. */
const POLL_MS = 500;
/** What a person looks through: five hours. */
const MAX_SENT = 20;
/** A digest and a code. */
const MAX_OUTCOME_BYTES = 128;
const U32_MAX = 2 ** 32 - 1;

const memorySchema = z.strictObject({
  /** Of the last standing order. */
  counter: z.string().regex(/^\d{1,20}$/),
  /** Of the last heartbeat. */
  sequence: z.string().regex(/^\d{1,20}$/),
  /** No honest clock is before it: the highest time of an answer. */
  clock: z.int().min(0),
});
type Memory = z.infer<typeof memorySchema>;

export interface ReportingOptions {
  readonly identity: NodeIdentity;
  readonly keeperDir: string;
  readonly ordersDir: string;
  readonly heraldDir: string;
  /** Root's: which keys of licences the quorum listed. */
  readonly outcomeDir: string;
  readonly release: Uint8Array;
  devices(): VerifiedDeviceList;
  health(): Promise<Heartbeat["health"]>;
  readonly log: Log;
}

interface Sent {
  readonly at: number;
  readonly heartbeat: Heartbeat;
  readonly document: Uint8Array;
  outcome: HeartbeatOutcome;
}

export class Reporting {
  readonly #options: ReportingOptions;
  readonly #licences: Licences;
  readonly #memoryPath: string;
  readonly #orderPath: string;
  #memory: Memory;
  #order: StandingOrder | undefined;
  #orderBytes: Uint8Array | undefined;
  /** Newest first; in memory only. */
  readonly #sent: Sent[] = [];
  #timer: NodeJS.Timeout | undefined;
  #poll: NodeJS.Timeout | undefined;
  /** Which files of the herald were looked at. */
  #seen = "";

  constructor(options: ReportingOptions) {
    this.#options = options;
    this.#memoryPath = join(options.keeperDir, "reporting");
    this.#orderPath = join(options.ordersDir, STANDING_FILE);
    this.#memory = readMemory(this.#memoryPath);
    this.#licences = new Licences(join(options.keeperDir, "licences"), this.#node);
    this.#licences.readSignedBy(this.#issuers);
    this.#goOn();
  }

  /** The order in force, as signed. */
  get orderBytes(): Uint8Array | undefined {
    return this.#order && this.#orderBytes;
  }

  /** @returns why an order would change nothing */
  refusal(untrusted: Uint8Array, now: number): OrderRefusal | undefined {
    const order = this.#verify(untrusted, now);
    if (typeof order === "string") return order;
    return order.counter <= BigInt(this.#memory.counter) ? "ERR_ORDER_REPLAYED" : undefined;
  }

  /** @returns why nothing changed */
  submitOrder(untrusted: Uint8Array, now: number): OrderRefusal | undefined {
    const refused = this.refusal(untrusted, now);
    const order = this.#verify(untrusted, now);
    if (refused !== undefined || typeof order === "string") return refused;
    try {
      this.#remember({ counter: String(order.counter) });
      this.#silence();
      // An order without a place still says whose licences count.
      writePublicFile(this.#orderPath, untrusted);
    } catch {
      return "ERR_STORAGE";
    }
    this.#begin(order, untrusted);
    return undefined;
  }

  /** From a file, for a node that reports to nobody. @returns whether it was taken */
  submitLicence(untrusted: Uint8Array, now: number): boolean {
    const wasTaken = this.#licences.take(untrusted, this.#issuers);
    this.#publishLicensed(now);
    return wasTaken;
  }

  state(now: number): ReportingState {
    const order = this.#order;
    return {
      order: order
        ? {
            counter: String(order.counter),
            notAfter: order.notAfter,
            endpoints: order.endpoints.map(({ name, address, port }) => ({
              name,
              address: addressText(address),
              port,
            })),
            controlPlane: Buffer.from(order.controlPlane).toString("hex"),
          }
        : null,
      highestCounter: BigInt(this.#memory.counter).toString(),
      sent: this.#sent.map(({ at, document, outcome }) => ({
        at,
        document: base64(document),
        outcome,
      })),
      licences: this.#licences.all.map(({ licence, document }) => ({
        document: base64(document),
        standing: standingOf(licence, this.#clock(now)),
      })),
    };
  }

  /** Who is no admin any more has no order either. */
  devicesChanged(): void {
    if (this.#order && !activeAdmin(this.#options.devices(), this.#order.signer)) this.#end();
  }

  stop(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#poll);
  }

  /** Whose licences count: those keys that the quorum listed; while it has listed none, the one that an admin named. */
  get #issuers(): readonly Uint8Array[] {
    const listed = listedLicenceKeys(this.#options.outcomeDir);
    return listed ?? (this.#order ? [this.#order.controlPlane] : []);
  }

  get #node(): Uint8Array {
    return this.#options.identity.signing.publicKey;
  }

  /** An order that was in force when this process began. */
  #goOn(): void {
    let bytes: Buffer;
    try {
      bytes = readFileSync(this.#orderPath);
    } catch {
      return;
    }
    const order = this.#verify(bytes, Date.now());
    // Only the keeper writes here, and still an older copy of the folder is not the last order.
    if (typeof order === "string" || String(order.counter) !== this.#memory.counter) this.#end();
    else this.#begin(order, bytes);
  }

  #verify(untrusted: Uint8Array, now: number): StandingOrder | OrderRefusal {
    try {
      const order = standingOrderDocument.open(
        untrusted,
        ({ signer }) => activeAdmin(this.#options.devices(), signer)?.signingKey,
      );
      if (!sameBytes(order.node, this.#node)) return "ERR_ORDER_NODE";
      if (order.notAfter <= now) return "ERR_ORDER_EXPIRED";
      if (order.notAfter > now + MAX_STANDING_MS) return "ERR_ORDER_TOO_LONG";
      return order.endpoints.some(({ port }) => port === 0) ? "ERR_DOCUMENT_FIELD" : order;
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error;
      return orderRefusalOf(error);
    }
  }

  #begin(order: StandingOrder, bytes: Uint8Array): void {
    [this.#order, this.#orderBytes] = [order, bytes];
    this.#licences.readSignedBy(this.#issuers);
    this.#publishLicensed(Date.now());
    if (order.endpoints.length === 0) return;
    this.#poll = setInterval(() => this.#orLog(() => this.#look()), POLL_MS);
    void this.#report();
  }

  #end(): void {
    this.#silence();
    this.#order = undefined;
    rmSync(this.#orderPath, { force: true });
  }

  #silence(): void {
    this.stop();
    for (const name of [HEARTBEAT_FILE, LICENSED_FILE])
      rmSync(join(this.#options.ordersDir, name), { force: true });
  }

  async #report(): Promise<void> {
    const order = this.#order;
    if (!order) return;
    const now = Date.now();
    if (order.notAfter <= now) return this.#end();
    const health = await this.#options.health().catch(() => "failing" as const);
    if (this.#order !== order) return;
    // A full disk is a reason to send nothing, and none to end the node.
    this.#orLog(() => {
      // The list of keys may be another one by now.
      this.#licences.readSignedBy(this.#issuers);
      this.#compose(health, now);
      this.#publishLicensed(now);
    });
    const spread = Math.round(HEARTBEAT_MS * JITTER);
    const waitMs = HEARTBEAT_MS + randomInt(-spread, spread + 1);
    this.#timer = setTimeout(() => void this.#report(), waitMs);
  }

  #compose(health: Heartbeat["health"], now: number): void {
    const { release, ordersDir, identity } = this.#options;
    const next = BigInt(this.#memory.sequence) + 1n;
    const sequence = next > BigInt(now) ? next : BigInt(now);
    // Before it can be sent: a sequence that was used once is never used again.
    this.#remember({ sequence: String(sequence) });
    const heartbeat: Heartbeat = {
      node: this.#node,
      sequence,
      nonce: randomBytes(16),
      issuedAt: now,
      release,
      rootVersion: this.#heldVersion("root"),
      targetsVersion: this.#heldVersion("targets"),
      licence: this.#licences.all[0]?.licence.id ?? null,
      health,
    };
    const document = heartbeatDocument.sign(heartbeat, identity.signing.privateKey);
    writePublicFile(join(ordersDir, HEARTBEAT_FILE), document);
    this.#sent.unshift({ at: now, heartbeat, document, outcome: "waiting" });
    this.#sent.length = Math.min(this.#sent.length, MAX_SENT);
  }

  #orLog(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#options.log("not-reported", { code: (error as NodeJS.ErrnoException).code ?? "ERR" });
    }
  }

  /** By the names of the herald's files: a number and nothing else of them is said. */
  #heldVersion(role: "root" | "targets"): number {
    const pattern = new RegExp(`^([1-9][0-9]{0,9})\\.${role}\\.json$`);
    const versions = namesIn(join(this.#options.heraldDir, "metadata")).map((name) =>
      Number(pattern.exec(name)?.[1] ?? 0),
    );
    return Math.min(Math.max(0, ...versions), U32_MAX);
  }

  /** Whether the herald said anything new. */
  #look(): void {
    const newest = this.#sent[0];
    if (!newest || !this.#order) return;
    // Not only at the next heartbeat: while its file is there the herald is started.
    if (this.#order.notAfter <= Date.now()) return this.#end();
    const paths = [OUTCOME_FILE, ANSWER_FILE].map((name) => join(this.#options.heraldDir, name));
    const seen = paths.map(fileMark).join(" ");
    if (seen === this.#seen) return;
    this.#seen = seen;
    // The herald writes which heartbeat it speaks of; what it says of another one is old.
    const [hash, code] =
      readSmall(paths[0]!, MAX_OUTCOME_BYTES)?.toString("ascii").split(" ") ?? [];
    if (hash !== Buffer.from(documentHash(newest.document)).toString("hex")) return;
    const outcome = heartbeatOutcomes.find((one) => one === code);
    if (outcome && outcome !== "answered") newest.outcome = outcome;
    if (outcome === "answered") this.#take(newest, readSmall(paths[1]!, MAX_ANSWER_BODY_BYTES));
  }

  #take(sent: Sent, untrusted: Buffer | undefined): void {
    if (!untrusted) return void (sent.outcome = "ERR_TOO_LONG");
    const { controlPlane } = this.#order!;
    try {
      const issuers = this.#issuers;
      const { time, licences } = openAnswerBody(untrusted, sent.heartbeat, controlPlane, issuers);
      this.#remember({ clock: Math.max(this.#memory.clock, time) });
      for (const { document } of licences) this.#licences.take(document, issuers);
      sent.outcome = "answered";
      this.#publishLicensed(Date.now());
    } catch (error) {
      if (!(error instanceof CryptoError || error instanceof ProtocolError)) throw error;
      sent.outcome = error.code === "ERR_AUTHENTICATION" ? error.code : "ERR_UNEXPECTED";
    }
  }

  /** Tells the herald whether it may fetch an update. */
  #publishLicensed(now: number): void {
    const path = join(this.#options.ordersDir, LICENSED_FILE);
    const isGood = this.#licences.all.some(({ licence }) =>
      ["valid", "grace"].includes(standingOf(licence, this.#clock(now))),
    );
    if (isGood && (this.#order?.endpoints.length ?? 0) > 0) writePublicFile(path, "", false);
    else rmSync(path, { force: true });
  }

  /** A clock that was set back does not make a licence young again. */
  #clock(now: number): number {
    return Math.max(now, this.#memory.clock);
  }

  #remember(change: Partial<Memory>): void {
    this.#memory = { ...this.#memory, ...change };
    writeMemory(this.#memoryPath, this.#memory);
  }
}

/** @throws when it cannot be read: beginning anew would let old orders count again */
function readMemory(path: string): Memory {
  try {
    return memorySchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return { counter: "0", sequence: "0", clock: 0 };
  }
}

function writeMemory(path: string, memory: Memory): void {
  writePublicFile(path, `${JSON.stringify(memory)}\n`);
}

/** Another process writes it: not a link, not a pipe, not longer than it may be. */
function readSmall(path: string, maxBytes: number): Buffer | undefined {
  try {
    return readPublicFile(path, maxBytes);
  } catch {
    return undefined;
  }
}

function fileMark(path: string): string {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stat ? `${stat.ino}-${stat.mtimeNs}` : "none";
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
