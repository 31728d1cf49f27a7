/**
 * What `phantoma serve` adds to the tunnel alone, how it stands 50 programs at once, and what it keeps.
 *
 * The endpoint is the real command in a process of its own. Both ways ask on one worker each, after the same
 * question and answer, so that a round evaluates the same tokens: the endpoint finds its conversation again, the
 * tunnel is told what to keep.
 *
 * @module
 */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Conversation } from "@phantoma/client";
import { exportDeviceIdentity } from "@phantoma/crypto";
import { Home } from "../../apps/cli/home.ts";
import type { NodeUnderTest } from "../node-under-test.ts";
import { row, type Benchmark, type Setting } from "./row.ts";
import { median, quantile } from "./statistics.ts";
import { modelDigest, openConversation } from "./through-tunnel.ts";

const SHORT_TOKENS = 4;
const LONG_TOKENS = 300;
const WARM_UP_ROUNDS = 3;
/** Programs that ask at once, each in a conversation of its own: one alone would mostly wait for ticks. */
const PROGRAMS = 4;
/** Of so many requests of a program, one begins a conversation. */
const FRESH_EVERY = 40;
/** A conversation that was lost begins again, too; of all requests no more than one in so many is on a fresh worker. */
const MOST_FRESH = 20;
/** How often one is told how far it is. */
const STEPS = 20;
/** What V8 takes at its leisure; what is kept of each request would be more after thousands. */
const FLAT_BYTES = 32 * 1024 * 1024;

const main = fileURLToPath(new URL("../../apps/cli/main.ts", import.meta.url));

export const endpoint: Benchmark = { name: "endpoint", run };

async function* run({ isQuick, standing }: Setting) {
  const underTest = await standing();
  const served = await Served.start(underTest, "tiny-1");
  try {
    yield* added(underTest, served, isQuick ? 14 : 200);
    yield await atOnce(served, isQuick ? 10 : 50);
    yield await kept(served, isQuick ? 400 : 10_000);
  } finally {
    await served.stop();
  }
}

async function* added(underTest: NodeUnderTest, served: Served, rounds: number) {
  const tunnel = await openConversation(underTest, modelDigest(underTest, "tiny"));
  const first = question("first");
  const { text: reply } = await throughTunnel(tunnel, first.content, SHORT_TOKENS, 0);
  await served.ask([first], SHORT_TOKENS);
  const before = [first, { role: "assistant", content: reply }];
  const alone: Measured[] = [];
  const through: Measured[] = [];
  const speeds = { value: [] as number[], baseline: [] as number[] };
  for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
    if (round === 0) alone.length = through.length = 0;
    const next = question(`${round}. Which bird is this?`);
    const ways = [
      async () => alone.push(await throughTunnel(tunnel, next.content, SHORT_TOKENS, 2)),
      async () => through.push(await served.ask([...before, next], SHORT_TOKENS)),
    ];
    for (const way of round % 2 === 0 ? ways : ways.toReversed()) await way();
  }
  for (let round = 0; round < Math.max(3, rounds / 20); round += 1) {
    const next = question(`${round}. A long story.`);
    speeds.baseline.push(
      (await throughTunnel(tunnel, next.content, LONG_TOKENS, 2)).tokensPerSecond,
    );
    speeds.value.push((await served.ask([...before, next], LONG_TOKENS)).tokensPerSecond);
  }
  await tunnel.end();
  const samples = { value: times(through), baseline: times(alone) };
  for (const [name, share] of [
    ["p50", 0.5],
    ["p95", 0.95],
  ] as const)
    yield row({
      name: `endpoint against the tunnel alone, first text, ${name}`,
      value: quantile(samples.value, share),
      unit: "ms",
      baseline: quantile(samples.baseline, share),
      samples,
    });
  yield row({
    name: "endpoint against the tunnel alone, speed",
    value: median(speeds.value),
    unit: "tokens/s",
    baseline: median(speeds.baseline),
    samples: speeds,
  });
}

/** Each is a conversation of its own, and so a worker of its own. */
async function atOnce(served: Served, programs: number) {
  process.stderr.write(`${programs} programs at once, each on a fresh worker\n`);
  const asking = Array.from({ length: programs }, (_, at) =>
    served.ask([question(`program ${at} asks`)], SHORT_TOKENS),
  );
  const answered = await Promise.allSettled(asking);
  const waited = answered.flatMap((one) =>
    one.status === "fulfilled" ? [one.value.firstTextMs] : [],
  );
  return row({
    name: `${programs} programs at once, each on a fresh worker: first text, the last one's`,
    value: Math.max(...waited),
    unit: "ms",
    budget: `all ${programs} answered (${waited.length})`,
    holds: waited.length === programs,
    samples: { waited },
  });
}

async function kept(served: Served, requests: number) {
  const residentBytes: number[] = [];
  const startedAt = performance.now();
  let asked = 0;
  let fresh = 0;
  const program = async () => {
    let before: object[] = [];
    for (let turn = 0; asked < requests; turn += 1) {
      const request = asked++;
      const next = question(`request ${request}`);
      const isFirst = turn % FRESH_EVERY === 0;
      const { text, reusedTokens } = await served.ask(
        isFirst ? [next] : [...before, next],
        SHORT_TOKENS,
      );
      if (isFirst) before = [next, { role: "assistant", content: text }];
      if (reusedTokens === 0) fresh += 1;
      if (request % (requests / STEPS) !== 0) continue;
      residentBytes.push(served.residentBytes);
      const seconds = Math.round((performance.now() - startedAt) / 1000);
      process.stderr.write(`${request} of ${requests} requests, ${seconds} s\n`);
    }
  };
  await Promise.all(Array.from({ length: PROGRAMS }, program));
  // The first fifth is what every process takes until it has met all of its code.
  const settled = Math.max(...residentBytes.slice(2, 5));
  const last = Math.max(...residentBytes.slice(-3));
  return row({
    name: `memory of the endpoint after ${requests} requests, ${fresh} on fresh workers`,
    value: last / 2 ** 20,
    unit: "MiB",
    baseline: settled / 2 ** 20,
    budget: `≤ +${FLAT_BYTES / 2 ** 20} MiB, ≤ ${requests / MOST_FRESH} fresh`,
    holds: last - settled <= FLAT_BYTES && fresh <= requests / MOST_FRESH,
    samples: { residentBytes },
  });
}

interface Measured {
  readonly text: string;
  readonly firstTextMs: number;
  readonly tokensPerSecond: number;
  /** Of the prompt, found in a worker's memory. */
  readonly reusedTokens: number;
}

function times(series: readonly Measured[]): number[] {
  return series.map(({ firstTextMs }) => firstTextMs);
}

function question(content: string) {
  return { role: "user", content };
}

async function throughTunnel(
  conversation: Conversation,
  text: string,
  maxTokens: number,
  keep: number,
): Promise<Measured> {
  const watch = new Watch();
  for await (const event of conversation.turn({
    text,
    keep,
    sampling: { temperature: 0, maxTokens },
  })) {
    if (event.type === "delta") watch.hears(event.text);
    if (event.type !== "finish") continue;
    watch.reusedTokens = event.finish.usage.reusedTokens;
    break;
  }
  return watch.measured(maxTokens);
}

class Watch {
  readonly #startedAt = performance.now();
  #firstAt = NaN;
  #text = "";
  reusedTokens = 0;

  hears(text: string): void {
    if (this.#text === "") this.#firstAt = performance.now();
    this.#text += text;
  }

  measured(tokens: number): Measured {
    const seconds = (performance.now() - this.#firstAt) / 1000;
    const firstTextMs = this.#firstAt - this.#startedAt;
    const { reusedTokens } = this;
    return { text: this.#text, firstTextMs, tokensPerSecond: (tokens - 1) / seconds, reusedTokens };
  }
}

/** The command `phantoma serve`, and a program that asks it. */
class Served {
  readonly #child: ChildProcess;
  readonly #dir: string;
  readonly #url: string;
  readonly #key: string;
  readonly #model: string;

  static async start({ node, device }: NodeUnderTest, model: string): Promise<Served> {
    const dir = mkdtempSync(join(tmpdir(), "phantoma-bench-"));
    new Home(dir).save(node.profile);
    const secret = exportDeviceIdentity(device);
    writeFileSync(join(dir, "device.key"), secret.expose(), { mode: 0o600 });
    secret.erase();
    const flags = ["serve", "--home", dir, "--port", "0", "--json", "--keep", String(PROGRAMS)];
    const child = spawn(process.execPath, [main, ...flags], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const line = await new Promise<string>((resolve, reject) => {
      child.stdout.once("data", (part: Buffer) => resolve(part.toString("utf8")));
      child.once("exit", () => reject(new Error("phantoma serve ended at once")));
    });
    const { url } = JSON.parse(line) as { url: string };
    return new Served(child, dir, url, model);
  }

  private constructor(child: ChildProcess, dir: string, url: string, model: string) {
    this.#child = child;
    this.#dir = dir;
    this.#url = url;
    this.#model = model;
    this.#key = readFileSync(join(dir, "keys/default"), "utf8").trim();
  }

  get residentBytes(): number {
    const [, pages] = readFileSync(`/proc/${this.#child.pid}/statm`, "utf8").split(" ");
    return Number(pages) * PAGE_BYTES;
  }

  async ask(messages: readonly object[], maxTokens: number): Promise<Measured> {
    const watch = new Watch();
    const response = await fetch(`${this.#url}/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${this.#key}`, "content-type": "application/json" },
      body: JSON.stringify({
        model: this.#model,
        messages,
        max_tokens: maxTokens,
        temperature: 0,
        stream: true,
        stream_options: { include_usage: true },
      }),
    });
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
    const decoder = new TextDecoder();
    let held = "";
    for await (const part of response.body!) {
      held += decoder.decode(part, { stream: true });
      const events = held.split("\n\n");
      held = events.pop()!;
      for (const event of events) {
        if (event === "data: [DONE]") continue;
        const { choices, usage } = JSON.parse(event.slice("data: ".length)) as {
          choices: { delta: { content?: string } }[];
          usage?: { prompt_tokens_details: { cached_tokens: number } };
        };
        watch.reusedTokens = usage?.prompt_tokens_details.cached_tokens ?? 0;
        if (choices[0]?.delta.content) watch.hears(choices[0].delta.content);
      }
    }
    return watch.measured(maxTokens);
  }

  async stop(): Promise<void> {
    const over = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGINT");
    await over;
    rmSync(this.#dir, { recursive: true });
  }
}

/** Of Linux on x64 and most of arm64. */
const PAGE_BYTES = 4096;
