/**
 * Who owns the node: the terminal's own program with a folder of its own, and a question now and then.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import {
  ControlSession,
  Conversation,
  pushRelease,
  signUpdateApproval,
  type NodeProfile,
} from "@phantoma/client";
import { Home } from "../../../apps/cli/home.ts";
import type { Bundle } from "../../../tools/bundle/bundle.ts";

const PROGRAM = fileURLToPath(new URL("../../../apps/cli/main.ts", import.meta.url));
/** A node that restarts is away for a few seconds. */
const PATIENCE_MS = 60_000;
/** Of an approval. */
const LIFETIME_MS = 3_600_000;

export interface Said {
  readonly code: number;
  readonly json: any;
  readonly text: string;
}

export class Person {
  readonly home: Home;
  readonly #dir: string;
  readonly #anchorPath: string;

  constructor(dir: string, anchorPath: string) {
    this.#dir = dir;
    this.#anchorPath = anchorPath;
    this.home = new Home(dir);
  }

  get profile(): NodeProfile {
    return this.home.node(undefined);
  }

  get #peer() {
    return { profile: this.profile, device: this.home.device() };
  }

  phantoma(...args: string[]): Promise<Said> {
    const more = args[0] === "update" ? ["--anchor", this.#anchorPath] : [];
    const flags = [PROGRAM, ...args, ...more, "--json", "--home", this.#dir];
    const child = spawn(process.execPath, flags, { stdio: ["ignore", "pipe", "pipe"] });
    let [out, text] = ["", ""];
    child.stdout.on("data", (part: Buffer) => (out += part.toString()));
    child.stderr.on("data", (part: Buffer) => (text += part.toString()));
    return new Promise((resolve) => {
      child.once("close", (code) => {
        const line = out.trim().split("\n").at(-1) ?? "";
        resolve({ code: code ?? -1, json: line === "" ? null : JSON.parse(line), text });
      });
    });
  }

  /** @returns the version that the node states, after it answered a question; or why it did not */
  async chats(): Promise<string> {
    try {
      const { version, model } = await this.#asked(async (session) => {
        const { version } = await session.status();
        const [model] = await session.models();
        return { version, model };
      });
      const conversation = await Conversation.open({
        ...this.#peer,
        model: Buffer.from(model!.digest, "hex"),
      });
      let answer = "";
      for await (const event of conversation.turn({ text: "Hello!", sampling: { maxTokens: 8 } }))
        if (event.type === "delta") answer += event.text;
      await conversation.end();
      return answer === "" ? "no answer" : version;
    } catch (error) {
      return (error as { code?: string }).code ?? String(error);
    }
  }

  /** The newest heartbeat, as the node shows it. */
  async newest(): Promise<string | undefined> {
    return (await this.#asked((session) => session.reporting())).sent[0]?.document;
  }

  /** What became of the one after `before`, once it is known. */
  async outcome(before: string | undefined): Promise<string> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const [newest] = (await this.#asked((session) => session.reporting())).sent;
      if (newest && newest.document !== before && newest.outcome !== "waiting")
        return newest.outcome;
      if (performance.now() > deadline) return "waiting";
      await sleep(200);
    }
  }

  /** @returns `taken`, or the code with which the node takes it not */
  async takeLicence(document: Uint8Array): Promise<string> {
    const path = join(this.#dir, "licence");
    writeFileSync(path, document);
    const { code, text } = await this.phantoma("report", "licence", path);
    return code === 0 ? "taken" : (/ERR_\w+/.exec(text)?.[0] ?? text);
  }

  /** How each licence of the node stands. */
  async standings(): Promise<string> {
    return (await this.reporting()).licences.map(({ standing }) => standing).join() || "none";
  }

  async update() {
    return this.#asked((session) => session.update());
  }

  async reporting() {
    return this.#asked((session) => session.reporting());
  }

  /**
   * Sends a release and approves it as a program would that verifies nothing.
   *
   * @returns the code with which the node takes no file of it, or no approval
   */
  async pushUnchecked(dir: string, bundle: Bundle): Promise<string | undefined> {
    const paths = ["metadata", "targets"].flatMap((folder) =>
      readdirSync(join(dir, folder)).map((name) => `${folder}/${name}`),
    );
    const { sha256, manifest } = bundle;
    const { nodeKey } = this.profile;
    let refused: string | undefined;
    await this.#asked(async (session) => {
      try {
        await pushRelease(session, dir, paths);
        const { highestCounter } = await session.update();
        const { nodeTime } = await session.status();
        const node = Buffer.from(nodeKey, "hex");
        const what = { node, sha256, version: manifest.version };
        const when = { highestCounter, nodeTime, lifetimeMs: LIFETIME_MS };
        await session.approveUpdate(signUpdateApproval(this.home.device(), { ...what, ...when }));
      } catch (error) {
        const { code } = error as { code?: string };
        if (code !== "ERR_DIGEST") throw error;
        refused = code;
      }
    });
    return refused;
  }

  /** Whichever release runs, as `phantoma update` asks it. */
  async #asked<T>(ask: (session: ControlSession) => Promise<T>): Promise<T> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      let session: ControlSession | undefined;
      try {
        session = await ControlSession.open({ ...this.#peer, takesAnyRelease: true });
        return await ask(session);
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await sleep(300);
      } finally {
        session?.close();
      }
    }
  }
}
