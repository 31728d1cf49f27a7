/**
 * npm run attacks: every known way around an egress policy, tried for real against ours.
 *
 *   main.ts [--json] [--unit UNIT]      on this machine; needs root
 *   main.ts --program FILE              somebody else's program in the worker's place
 *   main.ts --guest                     the same in a Debian guest, with systemd and BPF LSM
 *
 * `--only matrix`, `--only trials` or `--only ROW` runs a part.
 *
 * Closes with `N blocked, 0 passed, K open on this kernel, L logged`. Ends with 1 when a frame passes that had to be
 * blocked, when an attempt was neither logged nor counted as lost, or when a control did not leak.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { argumentsOf, fileOf, flag, oneOf, text } from "../arguments.ts";
import { demoUnits, openDemoNode } from "./demo-node.ts";
import { runFaults } from "./faults.ts";
import { noGuest } from "../vps/needs.ts";
import { runInGuest } from "./guest.ts";
import { closingLine, failuresOf, jsonRows, tableOf, type Results } from "./report.ts";
import { rows } from "./rows.ts";
import { runAll, wantedOf } from "./run.ts";
import { buildAttempts } from "./stage.ts";
import { runStranger } from "./stranger.ts";
import { runTrials } from "./trials.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const values = argumentsOf({
  only: text,
  unit: text,
  program: text,
  guest: flag,
  json: flag,
});

const only = oneOf("only", values.only, ["matrix", "trials", ...rows.map(({ id }) => id)]);
const unit = oneOf("unit", values.unit, demoUnits);
const program = fileOf("program", values.program);

const obstacle = findObstacle() ?? (values.guest ? noGuest() : undefined);
if (obstacle) {
  process.stderr.write(`attacks: ${obstacle}\n`);
  process.exitCode = 1;
} else {
  process.exitCode = await run();
}

async function run(): Promise<number> {
  const startedAt = performance.now();
  buildPolicy();
  if (values.guest) {
    const attempts = buildAttempts();
    return tell(await runInGuest(attempts, only, say), (performance.now() - startedAt) / 1000);
  }
  const node = await openDemoNode(buildAttempts(), say);
  const end = (): void => {
    void node.close().finally(() => process.exit(130));
  };
  process.once("SIGINT", end).once("SIGTERM", end);
  process.once("uncaughtException", (error) => {
    complain(String(error.stack));
    end();
  });
  try {
    if (program) return await runStranger(node, program, say);
    const units = unit === undefined ? node.units : [unit];
    const wanted = wantedOf(only, unit ? [] : [runFaults, runTrials]);
    const results = await runAll(node, { ...wanted, units }, say);
    return tell(results, (performance.now() - startedAt) / 1000);
  } finally {
    process.off("SIGINT", end).off("SIGTERM", end);
    await node.close();
  }
}

function tell(results: Results, seconds: number): number {
  const failures = failuresOf(results);
  if (values.json) for (const row of jsonRows(results)) print(row);
  say("");
  for (const line of tableOf(rows, results.verdicts)) say(line);
  for (const { id, attempt, isBlocked, detail } of results.trials)
    say(`${id.padEnd(5)} ${attempt.padEnd(50)} ${isBlocked ? "blocked" : "PASSED"}: ${detail}`);
  say("41    time and size of the gateway's own answers          not claimed");
  say(`\n${seconds.toFixed(0)} s`);
  for (const failure of failures) (values.json ? complain : print)(`FAIL ${failure}`);
  (values.json ? complain : print)(closingLine(results));
  return failures.length === 0 ? 0 : 1;
}

/** The policy as it is in the tree now, not as it was built last. */
function buildPolicy(): void {
  const made = spawnSync("make", ["-s", "-C", join(root, "bpf")], { encoding: "utf8" });
  if (made.status !== 0) throw new Error(`the policy does not compile: ${made.stderr}`);
}

function findObstacle(): string | undefined {
  if (process.platform !== "linux") return "needs Linux";
  if (process.getuid?.() !== 0) return "needs root: cgroups, namespaces and kernel programs";
  if (!existsSync("/usr/include/seccomp.h"))
    return "needs libseccomp-dev, and what CONTRIBUTING.md lists";
  return undefined;
}

function say(text: string): void {
  if (!values.json) print(text);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function complain(text: string): void {
  process.stderr.write(`${text}\n`);
}
