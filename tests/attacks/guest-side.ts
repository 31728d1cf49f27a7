/**
 * The run inside the guest. Prints the results as one line of JSON after `results `; progress on standard error.
 *
 *   guest-side.ts [matrix | trials | ROW]
 *
 * @module
 */
import { runFaults } from "./faults.ts";
import { runAll, wantedOf } from "./run.ts";
import { openSystemdNode } from "./systemd-node.ts";
import { runSystemdTrials } from "./systemd-trials.ts";
import { runTrials } from "./trials.ts";

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const only = process.argv[2];
const node = await openSystemdNode();
try {
  const wanted = wantedOf(only, [runFaults, runTrials, runSystemdTrials]);
  const results = await runAll(node, { ...wanted, units: node.units }, say);
  const plain = JSON.stringify(results, (_key, value: unknown) =>
    value instanceof Set ? [...value] : value,
  );
  process.stdout.write(`results ${plain}\n`);
} finally {
  await node.close();
}
