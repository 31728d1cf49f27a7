/**
 * The kernel policy as the keeper sees it through the warden: its state, refused attempts, the window.
 *
 * @module
 */
import { uptime } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { WardenPart } from "@phantoma/crypto";
import type { Egress, PolicyState, WindowState } from "@phantoma/protocol";
import type { OrderRefusal } from "../ipc/keeper-link.ts";
import { EgressLog } from "./egress-log.ts";
import { WardenLink } from "./warden-link.ts";
import type { WardenStatus } from "./warden-words.ts";
import { Window, type WindowOptions } from "./window.ts";

/** Numbers only, in the keeper's own folder. */
const DAYS_FILE = "egress-days";
/** A day has a row even when nobody asks; and a fault is seen in this time, in milliseconds. */
const LOOK_MS = 10_000;
/** A cell ends within milliseconds of its report; later receipts wait so long for one that does not. */
const LIVE_TIMEOUT_MS = 2_000;
const LIVE_PAUSE_MS = 10;

export interface KernelPolicyOptions extends Omit<WindowOptions, "warden"> {
  readonly wardenSocket: string;
  readonly keeperDir: string;
  listsAfter(version: number): readonly Uint8Array[];
  standingOrder(): Uint8Array | undefined;
}

export class KernelPolicy {
  readonly window: Window;
  readonly #link: WardenLink;
  readonly #log: EgressLog;
  readonly #startedAt = Date.now();
  readonly #look: NodeJS.Timeout;
  readonly #heard = Promise.withResolvers<void>();
  #status: WardenStatus | undefined;
  #isHere = false;

  constructor(options: KernelPolicyOptions) {
    this.#log = new EgressLog(join(options.keeperDir, DAYS_FILE));
    this.#link = new WardenLink(options.wardenSocket, {
      listsAfter: (version) => options.listsAfter(version),
      standingOrder: () => options.standingOrder(),
      here: (status) => {
        this.#isHere = true;
        this.#take(status);
        void this.window.compareWith(status.window);
        this.#heard.resolve();
      },
      away: () => (this.#isHere = false),
      event: (event) => this.#log.add(event, wallTime(event.bootNs)),
      windowClosed: () => void this.window.closed(),
    });
    this.window = new Window({ ...options, warden: this.#link });
    this.#look = setInterval(() => void this.#ask(), LOOK_MS);
  }

  /** Resolves when the warden was first heard. */
  get heard(): Promise<void> {
    return this.#heard.promise;
  }

  /** @returns why the herald may not go where the order says */
  async report(order: Uint8Array): Promise<OrderRefusal | "ERR_NO_WARDEN" | undefined> {
    const answer = await this.#link.report(order);
    return "refused" in answer ? answer.refused : undefined;
  }

  /** What is known to be wrong with the policy; a warden that restarts leaves it in force. */
  get fault(): string | null {
    return this.#status?.fault ?? null;
  }

  async egress(after: number, limit: number): Promise<Egress> {
    await this.#ask();
    return {
      policy: this.#state(),
      countingSince: this.#log.countingSince ?? this.#startedAt,
      counts: [...this.#log.counts],
      days: [...this.#log.days],
      events: this.#log.since(after, limit),
      latest: this.#log.latest,
    };
  }

  /**
   * What the warden saw of the task whose receipt begins so. It speaks of a task when all of the task's
   * processes are gone, the cell too, which is a moment after the cell's own report.
   */
  async witness(begun: Uint8Array): Promise<WardenPart | null> {
    const deadline = Date.now() + LIVE_TIMEOUT_MS;
    for (;;) {
      const said = await this.#link.witness(begun);
      if (said !== "live" || Date.now() > deadline) return said === "live" ? null : said;
      await sleep(LIVE_PAUSE_MS);
    }
  }

  async state(): Promise<PolicyState> {
    await this.#ask();
    return this.#state();
  }

  async windowState(): Promise<WindowState> {
    await this.#ask();
    return this.window.state(this.#status?.highestCounter ?? "0");
  }

  /** A new list is in force here: the warden is told, and judges it for itself. */
  devicesChanged(): void {
    void this.#link.tellDevices();
  }

  close(): void {
    clearInterval(this.#look);
    this.window.stop();
    this.#link.close();
  }

  #state(): PolicyState {
    const {
      fault = null,
      tiers = [],
      missing = [],
      verifiedAt = null,
      policy,
    } = this.#status ?? {};
    return {
      isInForce: this.#isHere && fault === null,
      fault: this.#isHere ? fault : NOBODY_WATCHES,
      tiers: [...tiers],
      missing: missing.map(({ tier, reason }) => ({ tier, reason })),
      programs: policy ?? "00".repeat(32),
      verifiedAt,
    };
  }

  async #ask(): Promise<void> {
    const status = await this.#link.status();
    if (status) this.#take(status);
  }

  #take(status: WardenStatus): void {
    this.#status = status;
    this.#log.observe(status, Date.now());
  }
}

const NOBODY_WATCHES =
  "the warden does not answer: what it pinned stays in the kernel, and nobody watches or counts it";

/** What the clock showed when the machine had run so long. */
function wallTime(bootNs: number): number {
  const agoMs = uptime() * 1_000 - bootNs / 1e6;
  return Math.round(Date.now() - Math.max(0, agoMs));
}
