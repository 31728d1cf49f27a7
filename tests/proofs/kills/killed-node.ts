/**
 * A demo node that has tasks and loses processes, and what is known of it between two kills.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { ControlSession, LocalNode, withRetry } from "@phantoma/client";
import { generateDeviceIdentity, type Receipt } from "@phantoma/crypto";
import { cachedModel } from "../../node-under-test.ts";
import { runTask, type Seen } from "./client.ts";
import * as processes from "./node-processes.ts";
import type { Step, Victim } from "./steps.ts";
import type { StoppingNode } from "./stopping-node.ts";

/** To come to a step takes milliseconds, to start a worker a second or two; a crowded machine has its time. */
const STEP_MS = 120_000;
/** It takes milliseconds, and what of it is told by a restarted process a second or two. */
const ERROR_MS = 30_000;
/** Everything is started again in a second or two, and a pool that failed waits for up to ten. */
export const NEXT_MS = 120_000;

const device = generateDeviceIdentity();

/** What came of a task at whose step somebody was killed. */
export interface Kill {
  readonly isReached: boolean;
  /** `undefined`: the device was told nothing within the limit. */
  readonly seen: Seen | undefined;
  readonly at: number;
}

export class KilledNode {
  readonly node: LocalNode;
  readonly #stopAt: StoppingNode["stopAt"];
  /** Who had the last task: it may be about to end. */
  #used: number | undefined;
  /** Tasks whose receipts are no news. */
  readonly #known = new Set<string>();

  static async start({ nodeDir, stopAt }: StoppingNode, dir: string): Promise<KilledNode> {
    const models = [{ path: await cachedModel("echo") }];
    // One worker at a time: whose memory and whose steps they are is not in question.
    const gatewayFlags = ["--warm", "1", "--max-live", "1"];
    return new KilledNode(
      await LocalNode.start({ nodeDir, dir, device, models, gatewayFlags }),
      stopAt,
    );
  }

  private constructor(node: LocalNode, stopAt: StoppingNode["stopAt"]) {
    this.node = node;
    this.#stopAt = stopAt;
  }

  /** Everybody is there once, and the worker is one that has no task. */
  get isResting(): boolean {
    const isOver = this.#used === undefined || processes.isGone(this.#used);
    return isOver && processes.rolesOf(this.node) === processes.AT_REST;
  }

  run(word: string, hooks: { onQueued?: () => void; onOpened?: () => void } = {}): Promise<Seen> {
    return runTask({ node: this.node, device, word, ...hooks });
  }

  /** @param word the task's */
  async killAt(step: Step, victim: Victim, word: string): Promise<Kill> {
    const { pids, task, isReached } = await this.standStill(step, word);
    const at = Date.now();
    const pid = pids[victim];
    if (pid === undefined) throw new Error(`there is no ${victim} to be killed`);
    if (isReached) {
      processes.signal(pid, "SIGKILL");
      await processes.until(() => processes.isGone(pid), STEP_MS);
    }
    if (!isReached || step.of !== victim) processes.signal(pids[step.of]!, "SIGCONT");
    return { isReached, seen: await within(task, ERROR_MS), at };
  }

  /** A task whose step it is stands still there, until somebody wakes it. */
  async standStill(step: Step, word: string) {
    const warm = processes.pidsOf(this.node);
    this.#stopAt(step);
    // Only a worker that is started now comes to its first step.
    if (step.isUnassigned) process.kill(warm.worker!, "SIGKILL");
    const now = () => (step.isUnassigned ? processes.pidsOf(this.node, warm.worker) : warm);
    // Before that the gateway would give the task to the one that is gone.
    await processes.until(() => now().worker !== undefined, STEP_MS);
    let isQueued = !step.isUnassigned || step.of === "gateway";
    const task = this.run(word, { onQueued: () => (isQueued = true) });
    const isReached = await processes.until(() => {
      return isQueued && processes.isStopped(now()[step.of]);
    }, STEP_MS);
    const pids = now();
    this.#used = pids.worker;
    this.#stopAt(undefined);
    return { pids, task, isReached };
  }

  /** As a person tries again. @returns whether a whole task was done */
  async nextTask(newWord: () => string): Promise<boolean> {
    const late = Date.now() + NEXT_MS;
    const onOpened = () => (this.#used = processes.pidsOf(this.node).worker);
    while (Date.now() < late) {
      const seen = await within(this.run(newWord(), { onOpened }), NEXT_MS);
      if (seen?.task) this.#known.add(nameOf(seen.task));
      if (seen?.isWhole && seen.how === "ended") return true;
      await sleep(100);
    }
    return false;
  }

  /**
   * A receipt that was not seen before.
   *
   * @param task `undefined` where it was cut before the device had heard of its worker
   */
  async newReceipt(task: Uint8Array | undefined, timeoutMs: number): Promise<Receipt | undefined> {
    const isIt = (receipt: Receipt) =>
      task ? nameOf(receipt.task) === nameOf(task) : !this.#known.has(nameOf(receipt.task));
    const open = () => ControlSession.open({ profile: this.node.profile, device });
    const control = await withRetry(open, { attempts: 10 });
    try {
      for (const late = Date.now() + timeoutMs; ; await sleep(50)) {
        const receipts = (await control.receipts({ limit: 10 })).map((one) => one.receipt);
        const found = receipts.find(isIt);
        if (!found && Date.now() < late) continue;
        for (const receipt of receipts) this.#known.add(nameOf(receipt.task));
        return found;
      }
    } finally {
      control.close();
    }
  }
}

/** @returns `undefined` when it takes longer */
export async function within(task: Promise<Seen>, timeoutMs: number): Promise<Seen | undefined> {
  const late = new AbortController();
  const limit = sleep(timeoutMs, undefined, { signal: late.signal }).catch(() => undefined);
  return Promise.race([task, limit]).finally(() => late.abort());
}

function nameOf(task: Uint8Array): string {
  return Buffer.from(task).toString("hex");
}
