/**
 * npm run bench: what Phantoma costs, each figure beside what it is compared with in the same run.
 *
 *   main.ts [--json] [--quick] [--only NAME] [--model FILE] [--report]
 *
 * Ends with 1 when a budget does not hold; with --report only when something could not be measured,
 * because a machine that is shared says nothing about budgets. Every raw sample is kept in
 * .cache/bench/. What is measured how: docs/bench.md.
 *
 * @module
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { argumentsOf, fileOf, flag, oneOf, text } from "../arguments.ts";
import { startNode, type NodeUnderTest } from "../node-under-test.ts";
import { cell } from "./cell.ts";
import { classifier } from "./classifier.ts";
import { consolePage } from "./console.ts";
import { controlPlane } from "./control-plane.ts";
import { documents } from "./documents.ts";
import { endpoint } from "./endpoint.ts";
import { firstToken } from "./first-token.ts";
import { gatewayLoad } from "./gateway-load.ts";
import { handshake } from "./handshake.ts";
import { kernelPolicy } from "./kernel-policy.ts";
import { describeMachine } from "./machine.ts";
import { row, tableHead, tableLine, type Benchmark, type Row } from "./row.ts";
import { steadyTicks } from "./steady-ticks.ts";
import { tokensPerSecond } from "./tokens-per-second.ts";
import { vault } from "./vault.ts";
import { warmPool } from "./warm-pool.ts";

const benchmarks: readonly Benchmark[] = [
  documents,
  handshake,
  firstToken,
  endpoint,
  tokensPerSecond,
  steadyTicks,
  classifier,
  gatewayLoad,
  warmPool,
  cell,
  kernelPolicy,
  consolePage,
  controlPlane,
  vault,
];

const values = argumentsOf({
  quick: flag,
  only: text,
  model: text,
  report: flag,
  json: flag,
});
const names = benchmarks.map(({ name }) => name);
const only = oneOf("only", values.only, names);
const wanted = benchmarks.filter(({ name }) => only === undefined || name === only);

const startedAt = new Date();
const machine = await describeMachine();
say(`${machine.processor}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Node ${machine.node}`);
const busy = Math.round(100 * machine.othersBusy);
say(`other programs use ${busy} % of the cores${busy > 20 ? ": expect noise" : ""}\n`);
say(tableHead());

const rows: Row[] = [];
let standing: Promise<NodeUnderTest> | undefined;
const setting = {
  isQuick: values.quick,
  strangerPath: fileOf("model", values.model),
  standing: () => (standing ??= startStanding()),
};
try {
  for (const benchmark of wanted) await measure(benchmark);
} finally {
  await standing?.then(({ node }) => node.stop());
}

const missed = rows.filter(({ holds }) => holds === false).length;
const held = rows.filter(({ holds }) => holds === true).length;
const path = keep();
const seconds = Math.round((Date.now() - startedAt.getTime()) / 1000);
say(`\n${held} passed, ${missed} failed (budgets), ${seconds} s; raw samples in ${path}`);
// node-llama-cpp keeps threads that would keep this process.
const judged = values.report ? rows.filter(({ value }) => Number.isNaN(value)).length : missed;
process.exit(judged > 0 || rows.length === 0 ? 1 : 0);

async function measure(benchmark: Benchmark): Promise<void> {
  try {
    for await (const row of benchmark.run(setting)) tell(row);
  } catch (error) {
    const name = `${benchmark.name} could not be measured: ${String(error)}`;
    tell(row({ name, value: NaN, unit: "", budget: "an answer", holds: false }));
  }
}

function tell(row: Row): void {
  rows.push(row);
  if (values.json) process.stdout.write(`${JSON.stringify(row)}\n`);
  else say(tableLine(row));
}

/** As shipped, with a pool for each model. */
function startStanding(): Promise<NodeUnderTest> {
  const { strangerPath } = setting;
  const stranger = strangerPath ? [{ path: strangerPath, name: "stranger" }] : [];
  return startNode({ models: ["tiny", "echo", ...stranger] });
}

/** @returns where */
function keep(): string {
  const dir = fileURLToPath(new URL("../../.cache/bench", import.meta.url));
  mkdirSync(dir, { recursive: true });
  const path = join(dir, `${startedAt.toISOString().replaceAll(":", "-")}.json`);
  const { quick, only = null } = values;
  writeFileSync(path, JSON.stringify({ startedAt, machine, quick, only, rows }));
  return path;
}

function say(text: string): void {
  if (!values.json) process.stdout.write(`${text}\n`);
}
