/**
 * How soon a used worker is replaced: two devices come to a pool of one, and the second one's wait,
 * from the first one's assignment to its own, is the replacement.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Conversation } from "@phantoma/client";
import { startNode, type NodeUnderTest } from "../node-under-test.ts";
import { row, type Benchmark, type Setting } from "./row.ts";
import { median } from "./statistics.ts";

const BUDGET_MS = 1_500;
/** Until the pool has a warm worker again, with nobody waiting. */
const SETTLE_MS = 2_500;

export const warmPool: Benchmark = { name: "warm-pool", run };

async function* run({ isQuick, strangerPath }: Setting) {
  const model = strangerPath ? { path: strangerPath } : isQuick ? "tiny" : "large";
  const name = strangerPath ? "stranger's" : isQuick ? "tiny" : "500 MB";
  const underTest = await startNode({ models: [model], gatewayFlags: ["--warm", "1"] });
  const replacements: number[] = [];
  try {
    for (let round = 0; round < (isQuick ? 1 : 10); round += 1)
      replacements.push(await replacementMs(underTest));
  } finally {
    await underTest.node.stop();
  }
  const value = median(replacements);
  yield row({
    name: `a used worker is replaced, ${name} model, p50`,
    value,
    unit: "ms",
    budget: `≤ ${BUDGET_MS} ms`,
    holds: value <= BUDGET_MS,
    samples: { value: replacements },
  });
}

async function replacementMs(underTest: NodeUnderTest): Promise<number> {
  await waitForWarm(underTest);
  const first = await opened(underTest);
  const second = await opened(underTest);
  await Promise.all([first.conversation.end(), second.conversation.end()]);
  return second.assignedAt - first.assignedAt;
}

/** A session that need not queue shows that a worker is warm; using it up makes another one. */
async function waitForWarm(underTest: NodeUnderTest): Promise<void> {
  const { conversation } = await opened(underTest);
  await conversation.end();
  await sleep(SETTLE_MS);
}

async function opened({ node, device }: NodeUnderTest) {
  let assignedAt = NaN;
  const conversation = await Conversation.open({
    profile: node.profile,
    device,
    model: node.defaultModel,
    onNote: ({ note }) => {
      if (note === "assigned") assignedAt = performance.now();
    },
  });
  return { conversation, assignedAt };
}
