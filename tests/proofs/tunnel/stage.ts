/**
 * Where attacks happen: a running node, an honest client that chats all the while, one row each.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  ClientError,
  ControlSession,
  Conversation,
  withRetry,
  type LocalNode,
} from "@phantoma/client";
import { importNodeIdentity, Secret } from "@phantoma/crypto";
import type { DeviceIdentity, NodeIdentity } from "@phantoma/crypto";
import { processesOf, startNode, type ModelName } from "../../node-under-test.ts";
import type { Proof } from "../../proof.ts";
import { expectEqual, PATIENCE_MS, until, within } from "./expect.ts";
import type { Trace } from "./trace.ts";

/** Enough for a prompt of 96 tokens to be repeated whole. */
const ANSWER_TOKENS = 120;
/** Longer than a whole attack may take with all its waiting. */
const ATTACK_LIMIT_MS = 90_000;

export class Stage {
  readonly node: LocalNode;
  readonly device: DeviceIdentity;
  readonly dir: string;
  readonly trace: Trace;
  readonly #proof: Proof;
  #witness: Conversation | undefined;
  /** The honest client's worker. */
  witnessPid = 0;
  #wholeAnswer: string | undefined;
  #serving: Promise<void> = Promise.resolve();

  static async open(
    proof: Proof,
    trace: Trace,
    models: readonly (ModelName | { readonly path: string })[],
    gatewayFlags: readonly string[],
  ): Promise<Stage> {
    const { node, device, dir } = await startNode({ models, gatewayFlags, isVerbose: true });
    const stage = new Stage(proof, trace, node, device, dir);
    trace.watch(stage);
    await stage.callWitness();
    return stage;
  }

  private constructor(
    proof: Proof,
    trace: Trace,
    node: LocalNode,
    device: DeviceIdentity,
    dir: string,
  ) {
    this.#proof = proof;
    this.trace = trace;
    this.node = node;
    this.device = device;
    this.dir = dir;
  }

  get peer() {
    return { profile: this.node.profile, device: this.device };
  }

  get model(): Uint8Array {
    return this.node.defaultModel;
  }

  /** What an attacker who took the gateway over has. */
  get tls(): { key: string; cert: string } {
    const read = (name: string) => readFileSync(join(this.dir, "state/gateway", name), "ascii");
    return { key: read("tls.key"), cert: read("tls.crt") };
  }

  /** For doubles that must differ from the real node in one thing only. */
  get identity(): NodeIdentity {
    return importNodeIdentity(new Secret(readFileSync(join(this.dir, "state/keeper/node.key"))));
  }

  get turn() {
    const text = `Repeat: ${this.trace.canary}`;
    return { text, keep: 0, sampling: { temperature: 0, maxTokens: ANSWER_TOKENS } };
  }

  pids(role: "worker" | "clerk" | "gateway" | "keeper"): number[] {
    return processesOf(this.node)
      .filter((process) => process.role === role)
      .map(({ pid }) => pid);
  }

  /** One row: the attack ends as it must, and the honest client loses nothing. */
  async attack(name: string, run: () => Promise<string | void>): Promise<void> {
    await this.#report(name, async () => {
      const detail = await run();
      try {
        await this.stillServes();
      } catch (error) {
        // This attack has fallen short; the next one is judged by itself.
        await this.callWitness();
        throw error;
      }
      return detail;
    });
  }

  /** An attack that ends every session: the honest client comes back to a node that came back. */
  async outage(name: string, run: () => Promise<string | void>): Promise<void> {
    await this.#report(name, async () => {
      try {
        return await run();
      } finally {
        await this.callWitness();
      }
    });
  }

  /** The same check with the attack left out, or the defence; it must come out differently. */
  async control(name: string, run: () => Promise<string | void>): Promise<void> {
    await this.#report(`control: ${name}`, run);
  }

  /** What must be true of the node, whether anyone attacks or not. */
  async claim(name: string, run: () => Promise<string | void>): Promise<void> {
    await this.#report(name, run);
  }

  /** The honest client's conversation goes on, and its answer is whole. */
  stillServes(): Promise<void> {
    // One turn at a time, also where an attack lasts and several want to know.
    const turn = this.#serving.then(async () => {
      const asked = this.#witness!.ask(this.turn);
      const { text } = await within(PATIENCE_MS, asked, "the honest answer");
      this.#wholeAnswer ??= text;
      expectEqual(text, this.#wholeAnswer, "the honest answer");
    });
    this.#serving = turn.catch(() => undefined);
    return turn;
  }

  /** A newcomer is served as well, by a process of its own. */
  async servesNewcomers(): Promise<void> {
    await this.#report("an honest newcomer is served after all that", async () => {
      const conversation = await this.converse();
      expectEqual((await conversation.ask(this.turn)).text, this.#wholeAnswer, "its answer");
      await conversation.end();
    });
  }

  /** Opens a conversation as anyone does; waits while the node starts again. */
  converse(): Promise<Conversation> {
    const open = () => Conversation.open({ ...this.peer, model: this.model });
    return within(PATIENCE_MS, withRetry(open, { attempts: 12 }), "a conversation");
  }

  /** A conversation and the process behind it: the one warm worker that there was. */
  async converseKnowingWorker(): Promise<{ conversation: Conversation; pid: number }> {
    await this.settled();
    const before = new Set(this.pids("worker"));
    const conversation = await this.converse();
    const pid = [...before].find((candidate) => candidate !== this.witnessPid)!;
    return { conversation, pid };
  }

  /** The witness has a worker and one is warm; whoever served before is gone. */
  settled(): Promise<void> {
    return until(() => this.pids("worker").length === 2, "a settled pool");
  }

  /** The honest client comes (back), after attacks that end every session of the node. */
  async callWitness(): Promise<void> {
    do {
      this.#witness?.drop();
      // One worker lives, the warm one: it is the witness's next.
      await until(() => this.pids("worker").length === 1, "a settled pool");
      this.witnessPid = this.pids("worker")[0]!;
      this.#witness = await this.converse();
    } while (!this.pids("worker").includes(this.witnessPid));
    await this.stillServes();
  }

  async status() {
    const control = await ControlSession.open(this.peer);
    try {
      return await control.status();
    } finally {
      control.close();
    }
  }

  /** The status once only the honest client's task lives: an earlier one may be counted late. */
  async statusAtRest() {
    await until(async () => (await this.status()).tasksLive === 1, "the end of earlier tasks");
    return this.status();
  }

  async #report(name: string, run: () => Promise<string | void>): Promise<void> {
    const startedAt = performance.now();
    const ms = () => Math.round(performance.now() - startedAt);
    try {
      const detail = await within(ATTACK_LIMIT_MS, run(), "its end");
      this.#proof.row({ name, holds: true, detail: detail ?? "", ms: ms() });
    } catch (error) {
      const code = error instanceof ClientError ? `${error.code}: ` : "";
      const detail = `${code}${(error as Error).message}`;
      this.#proof.row({ name, holds: false, detail, ms: ms() });
    }
  }
}
