/**
 * The node's own programs, that stand still at a step when they are told to: no clock is involved, so every run
 * kills at the same places.
 *
 * @module
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { changedNode, type Change } from "../../changed-node.ts";
import { steps, type Step } from "./steps.ts";

export interface StoppingNode {
  /** The changed apps/node. */
  readonly nodeDir: string;
  /** Whoever comes to this step next stands still; `undefined` for nobody. */
  readonly stopAt: (step: Step | undefined) => void;
}

/** @param dir where the programs go */
export function makeStoppingNode(dir: string): StoppingNode {
  mkdirSync(dir);
  const orderPath = join(dir, "stop-at");
  const stopAt = (step: Step | undefined) => writeFileSync(orderPath, step?.name ?? "");
  stopAt(undefined);
  const nodeDir = changedNode(dir, [...steps.map(stopIn), ...beginnings]);
  writeFileSync(join(nodeDir, "at-step.ts"), atStep(orderPath));
  writeFileSync(join(nodeDir, "cell/at-step.h"), atStepInC(orderPath));
  return { nodeDir, stopAt };
}

function stopIn({ name, file, before = "", after = "", when }: Step): Change {
  const stop = `${when ? `if (${when}) ` : ""}atStep(${JSON.stringify(name)});\n`;
  return { file, find: before + after, put: before ? stop + before : `${after}\n${stop}` };
}

/** What a program needs so that it can stand still. */
const beginnings: readonly Change[] = [
  ...["worker", "clerk", "gateway", "keeper"].map((role) => {
    const find = " * @module\n */\n";
    return { file: `${role}/main.ts`, find, put: `${find}import "../at-step.ts";\n` };
  }),
  ...["cell", "seize", "wipe"].map((name) => {
    const find = `#include "${name === "cell" ? "ending" : name}.h"\n`;
    return { file: `cell/${name}.c`, find, put: `${find}#include "at-step.h"\n` };
  }),
  // A worker plays a whole turn with itself before it has a task.
  {
    file: "worker/main.ts",
    find: "    await rehearse(engine);",
    put: "    rehearsing(true);\n    await rehearse(engine);\n    rehearsing(false);",
  },
];

function atStep(orderPath: string): string {
  return `
import { readFileSync } from "node:fs";
let isRehearsing = false;
globalThis.rehearsing = (is) => (isRehearsing = is);
globalThis.atStep = (step) => {
  if (!isRehearsing && readFileSync(${JSON.stringify(orderPath)}, "utf8") === step)
    process.kill(process.pid, "SIGSTOP");
};
`;
}

function atStepInC(orderPath: string): string {
  return `
#include <signal.h>
#include <stdio.h>
#include <string.h>
static inline void atStep(const char *step)
{
	char order[128] = "";
	FILE *file = fopen(${JSON.stringify(orderPath)}, "re");

	if (file && fgets(order, sizeof(order), file) && !strcmp(order, step))
		raise(SIGSTOP);
	if (file)
		fclose(file);
}
`;
}
