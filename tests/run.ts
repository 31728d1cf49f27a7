/**
 * npm test: runs every step this machine can run, and names what it could not and why.
 *
 *   run.ts [--only check|NAME] [--all] [--no-skip]
 *
 * @module
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { argumentsOf, flag, text } from "./arguments.ts";
import { steps, type Step } from "./steps.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const values = argumentsOf({
  only: text,
  all: flag,
  "no-skip": flag,
});

/** Of what a step says. */
const INDENT = "      ";

const wanted = steps.filter(
  ({ name, kind, isLong = false }) =>
    (values.all || !isLong || values.only === name) &&
    (values.only === undefined || values.only === kind || values.only === name),
);
let passed = 0;
let failed = 0;
const skipped: string[] = [];
/** Said once more at the end: whoever reads only that must see what failed. */
const failures: string[] = [];

/** As our proofs, the C tests, the attacks and Vitest mark it. */
const FAILED_ROW = /^\s*(?:FAIL|FAILED:|AssertionError|×)|\bPASSED\b/;
const MAX_ROWS = 20;
const MAX_ROW_LENGTH = 300;

for (const step of wanted) {
  const obstacle = step.obstacle?.();
  if (obstacle) {
    skipped.push(`${step.name}: ${obstacle}`);
    if (values["no-skip"]) failed += 1;
    say(`skip  ${step.name}: ${obstacle}`);
  } else {
    await run(step);
  }
}
if (wanted.length === 0) failed += 1;
if (skipped.length > 0) say(`\nnot run here:\n  ${skipped.join("\n  ")}`);
if (failures.length > 0) say(`\nfailed:\n  ${failures.join("\n  ")}`);
say(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

async function run({ name, command, program, isTold = false }: Step): Promise<void> {
  say(`run   ${name} …`);
  const startedAt = performance.now();
  const { output, isOk } = await runCommand(program ?? process.execPath, command, isTold);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  const counts = countsIn(output);
  passed += counts?.passed ?? (isOk ? 1 : 0);
  // A step that ends badly counts as failed even when it counted no failure itself.
  failed += Math.max(counts?.failed ?? 0, isOk ? 0 : 1);
  const summary = counts ? `, ${counts.passed} passed, ${counts.failed} failed` : "";
  say(`${isOk ? "ok   " : "FAIL "} ${name} (${seconds} s${summary})`);
  if (isOk) return;
  if (!isTold) say(output.replaceAll(/^/gm, INDENT));
  const rows = output.split("\n").filter((line) => FAILED_ROW.test(line));
  failures.push(`${name}:`, ...rows.slice(0, MAX_ROWS).map((row) => row.slice(0, MAX_ROW_LENGTH)));
}

function runCommand(
  program: string,
  args: readonly string[],
  isTold: boolean,
): Promise<{ output: string; isOk: boolean }> {
  const child = spawn(program, args, {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" },
  });
  const parts: Buffer[] = [];
  child.stdout.on("data", (part: Buffer) => parts.push(part));
  child.stderr.on("data", (part: Buffer) => parts.push(part));
  if (isTold)
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on("line", (line) => say(INDENT + line));
  return new Promise((resolve) => {
    child.once("close", (code) => {
      resolve({ output: Buffer.concat(parts).toString("utf8"), isOk: code === 0 });
    });
  });
}

/** The last counts that a step printed: our proofs' own line, that of the attacks, or Vitest's. */
function countsIn(output: string): { passed: number; failed: number } | undefined {
  const ours = [...output.matchAll(/^(\d+) passed, (\d+) failed$/gm)].at(-1);
  if (ours) return { passed: Number(ours[1]), failed: Number(ours[2]) };
  const attacks = /^(\d+) blocked, (\d+) passed, \d+ open on this kernel, \d+ logged$/m.exec(
    output,
  );
  // What was blocked is a test that passed, and the other way round.
  if (attacks) return { passed: Number(attacks[1]), failed: Number(attacks[2]) };
  const vitest = /^\s*Tests\s+(?:(\d+) failed \| )?(\d+) passed/m.exec(output);
  if (vitest) return { passed: Number(vitest[2]), failed: Number(vitest[1] ?? 0) };
  return undefined;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
