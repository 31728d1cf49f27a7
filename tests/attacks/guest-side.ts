/**
 * The run inside the guest. Prints the results as one line of JSON after `results `; progress on standard error.
 *
 *   guest-side.ts ROW,ROW… | all
 *
 * @module
 */
import { runFaults } from "./faults.ts";
import { rows } from "./rows.ts";
import { runAll } from "./run.ts";
import { openSystemdNode } from "./systemd-node.ts";
import { runSystemdTrials } from "./systemd-trials.ts";
import { runTrials } from "./trials.ts";

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const only = process.argv[2];
const node = await openSystemdNode();
try {
  const wanted = rows.filter(({ id }) => only === undefined || id === only);
  const trials = only ? [] : [runFaults, runTrials, runSystemdTrials];
  const results = await runAll(node, { rows: wanted, units: node.units, trials }, say);
  const plain = JSON.stringify(results, (_key, value: unknown) =>
    value instanceof Set ? [...value] : value,
  );
  process.stdout.write(`results ${plain}\n`);
} finally {
  await node.close();
}
