/**
 * Runs a set-up, or undoes it. It knows no connection: whoever started it may be gone.
 *
 *   probe ──right──> was-so
 *     └──not──> applying ──> apply ──> probe ──right──> done
 *                              │         └──not──> failed: the run ends, and goes on here when it is started again
 *                              └──wants a person──> the run ends the same way
 *
 * @module
 */
import { MAX_WHY_LENGTH, type NewEvent, type Work } from "../journal.ts";
import { StepError } from "./machine.ts";
import { Wanted, type Context, type Step } from "./step.ts";

/** @returns whether everything is as it should be */
export async function install(
  steps: readonly Step[],
  context: Context,
  what: Exclude<Work, "uninstall" | "keep-key"> = "install",
): Promise<boolean> {
  context.tell({ kind: "began", what });
  for (const step of steps) {
    const event = await runStep(step, context);
    context.tell(event);
    if (event.kind !== "step") return false;
  }
  context.tell({ kind: "ended", what: "installed" });
  return true;
}

async function runStep(step: Step, context: Context): Promise<NewEvent> {
  const { name } = step;
  try {
    if (await step.probe(context)) return { kind: "step", step: name, state: "was-so" };
    context.tell({ kind: "step", step: name, state: "applying" });
    await step.apply(context);
    if (await step.probe(context)) return { kind: "step", step: name, state: "done" };
    return { kind: "failed", step: name, why: "it was done, and is not as it should be" };
  } catch (error) {
    if (error instanceof Wanted) return { kind: "wants", what: error.what };
    return { kind: "failed", step: name, why: whyOf(error) };
  }
}

/** In reverse: nothing is taken away from under what still runs. */
export async function uninstall(
  steps: readonly Step[],
  context: Context,
  what: "uninstall" | "keep-key" = "uninstall",
): Promise<boolean> {
  context.tell({ kind: "began", what });
  for (const step of steps.toReversed()) {
    context.tell({ kind: "step", step: step.name, state: "undoing" });
    try {
      await step.undo(context);
    } catch (error) {
      context.tell({ kind: "failed", step: step.name, why: whyOf(error) });
      return false;
    }
    context.tell({ kind: "step", step: step.name, state: "undone" });
  }
  context.tell({ kind: "ended", what: "uninstalled" });
  return true;
}

export function listOf(steps: readonly Step[], context: Context): readonly string[] {
  return steps.toReversed().flatMap((step) => step.list(context));
}

/** Of ours, or of the system: neither knows a secret. */
function whyOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const text = error instanceof StepError || code === undefined ? message : `${code}: ${message}`;
  return text.replaceAll(/[^\x20-\x7e]/g, " ").slice(0, MAX_WHY_LENGTH);
}
